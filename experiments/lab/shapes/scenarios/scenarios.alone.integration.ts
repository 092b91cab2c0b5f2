/**
 * The short suite, in about half a minute. The first stage that bounds what clients may cost meets all that
 * hostile clients do, but for what takes long; the others meet what touches their way with messages. Failures
 * are tried on one stage with a log and on one without.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { hostile } from '../../../013-hostile/experiment.ts';
import { canResume, listStages } from '../../deployment/list-stages.ts';
import { findServices } from '../../deployment/services/services.ts';
import { startDeployment } from '../../deployment/start.ts';
import { scenarios as testedElsewhere } from '../faults/scenarios.ts';
import { skipMissing } from '../run-plan.ts';
import { act } from './act.ts';
import { runFailure } from './fail.ts';
import { failures } from './failures.ts';
import { families } from './families/families.ts';
import { openGround, scenarios } from './scenarios.ts';

const options = { target: 'process', stages: [], workload: {}, settings: {}, allocation: {} } as const;
const planned = scenarios.plan(hostile, await listStages(), options);
// Not pinned: servers of several tests run at the same time, and on one CPU they would starve each other.
const variants = planned.variants.map((variant) => ({ ...variant, allocation: {} }));
const { skipped } = skipMissing(variants, await findServices('process'));
const placement = { target: 'process', simulator: 'process' } as const;
const over = new AbortController();
after(() => over.abort());
const run = {
  deploy: (request: Parameters<Parameters<typeof runFailure>[2]['deploy']>[0]) =>
    startDeployment(placement, { ...request, scrapeHost: '127.0.0.1', signal: over.signal }),
  signal: over.signal,
  observer: { phase() {}, second() {}, started() {} },
  seed: 1,
  nextNumber: () => 1,
};

test('there are at least 50 scenarios, each with a name of its own', () => {
  const names = [...Object.values(families).flat(), ...failures].map(({ name, ...one }) =>
    'nodes' in one ? `${name} (${one.nodes})` : name,
  );
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 50, `${names.length}`);
});

/** Acted out at the same time: what costs the server little, then what floods it, then the rest. */
const { floods, 'readers and leavers': readers, ...quick } = families;
const beforeMessages = [Object.values(quick).flat()];
const acts = [floods!, readers!];
// What takes half a minute is for `npm run experiment -- run 013`.
const quickFailures = failures.filter((one) => !testedElsewhere.includes(one) && !one.name.includes('30 s'));
const failureLoad = { participants: 16, messagesPerSecond: 2, steadyMs: 500, aftermathMs: 2500 };
/** The last stage with a log to which a failure of that name applies, and the last one without. */
const placesOf = ({ name }: { name: string }) => {
  const applies = ({ stage }: (typeof variants)[number]) =>
    failures.some((one) => one.name === name && one.appliesTo(stage));
  const able = variants.filter(applies);
  return [able.findLast(({ stage }) => !canResume(stage)), able.findLast(({ stage }) => canResume(stage))];
};
const tests = variants.map((variant) => {
  const reason = skipped.find(({ name }) => name === variant.name)?.reason;
  return { variant, stage: variant.stage, skip: reason ?? false };
});

describe('hostile clients and failing parts', { concurrency: true }, () => {
  describe('each hostile client gets its answer, and nobody else anything', { concurrency: 3 }, () => {
    for (const { variant, stage, skip } of tests)
      test(stage.name, { skip }, async () => {
        await using ground = await openGround(variant, null, run);
        for (const all of variant === variants[0] ? [...beforeMessages, ...acts] : acts) {
          const chosen = all.filter(({ short, appliesTo }) => short !== 0 && (appliesTo?.(stage) ?? true));
          const outcomes = await act(ground, chosen, { seed: 1, short: true, signal: over.signal });
          // Void: the simulator was disturbed, so that only the latency is not known.
          const failed = outcomes.filter(({ outcome }) => outcome === 'fail');
          const why = failed.map(({ scenario, reasons }) => `${scenario}: ${reasons.join('; ')}`);
          assert.deepEqual(why, []);
        }
      });
  });

  describe('a failure costs nobody anything without being told', { concurrency: 7 }, () => {
    for (const { variant, stage, skip } of tests)
      for (const failure of quickFailures) {
        if (!failure.appliesTo(stage) || !placesOf(failure).includes(variant)) continue;
        test(`${stage.name}: ${failure.name}`, { skip }, async () => {
          const trial = await runFailure(variant, failure, run, failureLoad);
          assert.equal(trial.outcome, 'pass', JSON.stringify(trial));
          assert.ok(trial.neighbours.sent > 5, JSON.stringify(trial));
        });
      }
  });
});

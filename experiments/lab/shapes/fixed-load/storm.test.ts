import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  latencyFixture,
  loadtestFixture,
  runFixture,
  trialFixture,
  variantFixture,
} from '../../records/run.fixture.ts';
import type { LoadRun } from '../../records/schema.ts';
import { terminalTable } from '../../report/table.ts';
import { fixedLoad } from './fixed-load.ts';
import { stormTable } from './storm.ts';

const never = 2_147_483.647;

/** A storm of one in ten who stay; `missed`: on a stage that keeps no log. */
function stormTrial(load: number, caughtUpMs: number, missed = 0) {
  const times = latencyFixture(caughtUpMs);
  const loadtest = loadtestFixture(load / 10, 50, {
    resume: {
      ...{ closes: {}, connectedMs: times, caughtUpMs: times, recovered: 0, lateDeliveries: 12 },
      ...{ gaps: 0, unable: 0, peopleWithGaps: 0, missed, misannounced: 0, unpublished: 0, away: 0 },
      refused: { 503: 3, ECONNRESET: 1 },
      storm: {
        ...{ left: 0.9 * load, connectedMs: times, caughtUpMs: times, caughtUp99AfterMs: caughtUpMs },
        ...{ handshakesPerSecond: 4321, stayedLatencyMs: latencyFixture(80) },
      },
    },
  });
  const outcome = caughtUpMs < 5000 ? ('pass' as const) : ('fail' as const);
  return trialFixture(load, load, 50, { purpose: 'fixed', loadtest, outcome });
}

function runOf(trials: LoadRun['trials']): LoadRun {
  const method = { kind: 'fixed', loads: [1000, 5000], repetitions: 1, emphasis: 'storm' } as const;
  return runFixture([variantFixture('01-naive', { answer: null, bound: null })], trials, {
    method,
    limits: ['caught-up-p99<5s'],
    varied: { quantity: 'clients', unit: 'clients' },
  });
}

test('the report of storms says when nearly all had caught up, and what it cost the others', async () => {
  const run = runOf([stormTrial(1000, 400), stormTrial(5000, never, 777)]);
  const { answer, summary } = fixedLoad.report(run);
  assert.equal(
    answer[0],
    '01-naive: 99 % had caught up after 400 ms of 1,000, never of 5,000 clients; with 5,000, the p99 of those who stayed was 80 ms, 4 attempts were refused, 777 deliveries were missed.',
  );
  const [first, second] = terminalTable(summary).split('\n').slice(2);
  assert.match(first!, /01-naive +1,000 +pass +1 +400 ms +480 ms +80 ms +4,320 +4 +0/);
  assert.match(second!, /5,000 +fail +1 +never +never +80 ms +4,320 +4 +777/);
  const [picture] = await fixedLoad.plots!(run);
  assert.equal(picture!.file, 'storm');
  assert.match(picture!.svg, /limit 5 s/);
});

test('a trial that ended before its storm has no figures of it', () => {
  const run = runOf([trialFixture(1, 1000, 50, { purpose: 'fixed' })]);
  assert.match(fixedLoad.report(run).answer[0]!, /^01-naive: no storm was measured\./);
  assert.match(terminalTable(stormTable(run)), /01-naive +1,000 +pass/);
});

/** Failures under clients that resume, against real processes: they miss nothing where they are told so. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failover } from '../../../010-failover/experiment.ts';
import { listStages } from '../../deployment/list-stages.ts';
import { findServices } from '../../deployment/services/services.ts';
import { startDeployment } from '../../deployment/start.ts';
import { skipMissing } from '../run-plan.ts';
import { type FaultVariant, faults } from './faults.ts';
import { runFaultTrial } from './inject-fault.ts';
import type { FaultTrial } from './record.ts';

const placement = { target: 'process', simulator: 'process' } as const;
const load = { participants: 40, messagesPerSecond: 2, reconnectWaitMsMax: 500 };
const { variants } = faults.plan({ ...failover, workload: { ...load, repetitions: 1 } }, await listStages(), {
  target: 'process',
  stages: [],
  trials: 1,
  workload: {},
  settings: {},
  allocation: {},
});
const { skipped } = skipMissing(variants, await findServices('process'));

/** What each failure does to the participants. The others of the experiment take too long for a test. */
const expected: Record<string, (trial: FaultTrial) => void> = {
  'node killed': ({ recovered, unrecovered, lostAndTold }) =>
    assert.deepEqual([recovered, unrecovered, lostAndTold], [20, 0, 0]),
  'Redis killed': ({ unrecovered }) =>
    assert.equal(unrecovered, 40, 'all are told that messages may be missing'),
  'Redis restarted with its data': ({ unrecovered, lostAndTold }) =>
    assert.deepEqual([unrecovered, lostAndTold], [0, 0]),
  'network cut from Redis': ({ unrecovered, lostAndTold }) =>
    assert.deepEqual([unrecovered, lostAndTold], [0, 0]),
};

describe('failures under clients that resume', { concurrency: 2 }, () => {
  for (const variant of variants as FaultVariant[]) {
    const check = expected[variant.scenario.name];
    if (check === undefined) continue;
    const skip = skipped.find(({ name }) => name === variant.name)?.reason ?? false;
    test(`${variant.name}: nobody misses, repeats or disorders anything without being told`, {
      skip,
    }, async ({ signal }) => {
      const trial = await runFaultTrial(
        variant,
        { ...load, steadyMs: 500, aftermathMs: 3500, resumes: true },
        {
          deploy: (request) => startDeployment(placement, { ...request, scrapeHost: '127.0.0.1', signal }),
          signal,
          observer: { phase() {}, second() {}, started() {} },
          seed: 1,
          nextNumber: () => 1,
        },
      );
      const shown = JSON.stringify(trial);
      assert.equal(trial.outcome, 'pass', shown);
      const { lostSilently, duplicated, reordered, disordered } = trial;
      assert.deepEqual([lostSilently, duplicated, reordered, disordered], [0, 0, 0, 0], shown);
      assert.ok(trial.published > 150, shown);
      check(trial);
    });
  }
});

/** Failures under clients that resume, against real processes: they miss nothing where they are told so. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failover } from '../../../010-failover/experiment.ts';
import { failuresOf, runFailure } from './faults.fixture.ts';
import type { FaultTrial } from './record.ts';

const load = { participants: 40, messagesPerSecond: 2, reconnectWaitMsMax: 500 };
const failures = await failuresOf({ ...failover, workload: { ...load, repetitions: 1 } });

/** What each failure does to the participants. The others of the experiment take too long for a test. */
const expected: Record<string, (trial: FaultTrial) => void> = {
  'node killed': ({ recovered, unrecovered, lostAndTold }) =>
    assert.deepEqual([recovered, unrecovered, lostAndTold], [20, 0, 0]),
  'Redis killed': ({ unrecovered }) =>
    assert.equal(unrecovered, 40, 'all are told that messages may be missing'),
  'Redis Cluster failover': ({ unrecovered }) =>
    assert.ok(unrecovered! >= 40, 'all are told that messages may be missing'),
  'Redis restarted with its data': ({ unrecovered, lostAndTold }) =>
    assert.deepEqual([unrecovered, lostAndTold], [0, 0]),
  'network cut from Redis': ({ unrecovered, lostAndTold }) =>
    assert.deepEqual([unrecovered, lostAndTold], [0, 0]),
};

describe('failures under clients that resume', { concurrency: 2 }, () => {
  for (const { variant, skip } of failures) {
    const check = expected[variant.scenario.name];
    if (check === undefined) continue;
    test(`${variant.name}: nobody misses, repeats or disorders anything without being told`, {
      skip,
    }, async ({ signal }) => {
      const times = { steadyMs: 500, aftermathMs: 3500 };
      const trial = await runFailure(variant, { ...load, ...times, resumes: true }, signal);
      const shown = JSON.stringify(trial);
      assert.equal(trial.outcome, 'pass', shown);
      const { lostSilently, duplicated, reordered, disordered } = trial;
      assert.deepEqual([lostSilently, duplicated, reordered, disordered], [0, 0, 0, 0], shown);
      assert.ok(trial.published > 150, shown);
      check(trial);
    });
  }
});

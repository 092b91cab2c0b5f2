/** Every failure against real processes: no loss is silent, and the chat recovers in time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kill } from '../../../008-kill/experiment.ts';
import { canResume } from '../../deployment/list-stages.ts';
import { failuresOf, runFailure } from './faults.fixture.ts';
import type { FaultTrial } from './record.ts';

const reconnectWaitMsMax = 500;
const experiment = { ...kill, workload: { ...kill.workload, reconnectWaitMsMax } };
const failures = await failuresOf(experiment);

/** Half of the sessions were asked to reconnect, and the others held. */
function assertHalfMoved({ closes, held, participants }: FaultTrial): void {
  assert.deepEqual(closes, { 1012: participants / 2 });
  assert.equal(held, participants / 2);
}

/** Assertions of one failure, in addition to those of all. */
const particulars: Record<string, (trial: FaultTrial) => void> = {
  'worker killed': ({ closes, held }) => {
    assert.deepEqual(Object.keys(closes), ['1006'], 'only its own sessions');
    assert.ok(held > 0);
  },
  'node killed': ({ closes, held, participants }) => {
    assert.deepEqual(closes, { 1006: participants / 2 });
    assert.equal(held, participants / 2);
  },
  'node drained': (trial) => {
    assertHalfMoved(trial);
    const { recoveredAfterMs } = trial;
    // 06 tells the other nodes first, and gives them a second.
    assert.ok(recoveredAfterMs! < reconnectWaitMsMax + 2500, `moved sessions: ${recoveredAfterMs} ms`);
  },
  'Redis killed': ({ closes }) => assertAskedToReconnect(closes),
  'Redis Cluster failover': ({ closes }) => assertAskedToReconnect(closes),
  'Redis frozen': ({ closes }) => assertAskedToReconnect(closes),
  // Only the sessions of the node that lost messages, or of the node behind the cut.
  'output buffer overflowed': assertHalfMoved,
  'network cut': assertHalfMoved,
};

/** 1012 to all; 1013 to a session that published in the moment before. */
function assertAskedToReconnect(closes: FaultTrial['closes']): void {
  assert.ok(
    Object.keys(closes).every((code) => code === '1012' || code === '1013'),
    JSON.stringify(closes),
  );
}

describe('failures under load', { concurrency: 4 }, () => {
  for (const { variant, skip } of failures) {
    test(`${variant.name}: every loss is told within seconds, and the chat recovers`, { skip }, async ({
      signal,
    }) => {
      const load = { participants: 40, messagesPerSecond: 2, reconnectWaitMsMax };
      const trial = await runFailure(variant, { ...load, steadyMs: 500, aftermathMs: 3500 }, signal);
      const shown = JSON.stringify(trial);
      const { lostSilently, duplicated, reordered } = trial;
      assert.equal(trial.outcome, 'pass', shown);
      assert.deepEqual([lostSilently, duplicated, reordered], [0, 0, 0], shown);
      assert.ok(trial.published > 150, shown);
      // Redis Cluster takes its own time until it agrees that a primary is gone.
      const detectionMsMax = variant.scenario.name === 'Redis Cluster failover' ? 6000 : 3000;
      assert.ok(trial.detectionMsMax < detectionMsMax, shown);
      // Where the log of a room outlives the failure of a link, messages are late and nobody has to leave.
      const isDelay = canResume(variant.stage) && variant.scenario.name === 'network cut';
      if (isDelay) assert.deepEqual([trial.closes, trial.held, trial.lostAndTold], [{}, 40, 0], shown);
      else assert.ok(trial.readyWhileBrokenMsMax < 3000 && trial.unreadyAfterMs !== null, shown);
      assert.ok(trial.recoveredAfterMs !== null && trial.recoveredAfterMs < trial.faultMs + 3000, shown);
      if (!isDelay) particulars[variant.scenario.name]!(trial);
    });
  }
});

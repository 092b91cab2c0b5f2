/** Makes a part fail, and puts the audit of the `faults` shape into the fields of a scenario. */
import { time } from '#host/units.ts';
import { isPerCore } from '../../deployment/list-stages.ts';
import type { Variant } from '../../trial/variant.ts';
import { runFaultTrial } from '../faults/inject-fault.ts';
import type { FaultTrial } from '../faults/record.ts';
import type { HardFailure } from './failures.ts';
import type { ScenarioTrial } from './record.ts';

/** Of the lab's own clients. */
const participants = { participants: 40, messagesPerSecond: 2, reconnectWaitMsMax: 500 };
const failuresFamily = 'failures of parts';

/** One failure in a deployment of its own. Rejects where that cannot be had. */
export async function runFailure(
  variant: Variant,
  failure: HardFailure,
  run: Parameters<typeof runFaultTrial>[2],
  phases = { steadyMs: 1000, aftermathMs: 5000 },
): Promise<ScenarioTrial> {
  const beganMs = performance.now();
  const settings = {
    ...(isPerCore(variant.stage) ? { workers: '2' } : {}),
    // One failure floods the chat with large messages.
    ...{ 'message-size-max': '64KiB', 'message-rate-max': '10000/s', 'messages-burst-max': '10000' },
    'reconnect-wait-max': time.format(participants.reconnectWaitMsMax),
    ...failure.settings,
  };
  const placed = { ...variant, settings, nodes: failure.nodes, scenario: failure };
  const trial = await runFaultTrial(placed, { ...participants, ...phases }, run);
  return recordOf(trial, failure, (performance.now() - beganMs) / 1000);
}

/** The audit of a failure in the fields of a scenario. A final failure leaves nobody to recover. */
function recordOf(trial: FaultTrial, { name, about, isFinal }: HardFailure, seconds: number): ScenarioTrial {
  const { number, variant, stage, seed, startedAt, facts, closes } = trial;
  const closed = Object.values(closes).reduce((sum, count) => sum + count, 0);
  const isTold = closed >= trial.participants;
  const reasons = isFinal
    ? [
        ...(isTold ? [] : [`${trial.participants - closed} clients were not told that the server is gone`]),
        ...trial.reasons.filter((reason) => !reason.includes('did not recover')),
      ]
    : trial.reasons;
  const { lostSilently: lost, duplicated, reordered, published: sent } = trial;
  const counts = { sent, lost, duplicated, reordered, misrouted: 0, corrupted: 0, closed, closes };
  return {
    ...{ number, variant, stage, seed, startedAt, facts, purpose: 'scenario', scenario: name, about },
    family: failuresFamily,
    offenders: 0,
    gets: [],
    got: closes,
    neighbours: { ...counts, p99Ms: null, p99MsMax: null },
    kept: null,
    memoryBytesMax: null,
    crossedAfterMs:
      trial.recoveredAfterMs === null ? null : Math.max(0, trial.recoveredAfterMs - trial.faultMs),
    seconds: Number(seconds.toFixed(2)),
    outcome: reasons.length === 0 ? 'pass' : 'fail',
    reasons,
  };
}

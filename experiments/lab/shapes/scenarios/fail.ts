/** Makes a part fail, and puts the audit of the `faults` shape into the fields of a scenario. */
import { time } from '#host/units.ts';
import { isPerCore } from '../../deployment/list-stages.ts';
import type { Variant } from '../../trial/variant.ts';
import { runFaultTrial } from '../faults/inject-fault.ts';
import type { FaultTrial } from '../faults/record.ts';
import { SkipVariant } from '../shape.ts';
import type { HardFailure } from './failures.ts';
import type { ScenarioTrial } from './record.ts';

const failuresFamily = 'failures of parts';
const reconnectWaitMsMax = 500;
/** The lab's own clients, and times of three times the longest recovery that was seen. Chosen. */
const usual = { participants: 40, messagesPerSecond: 2, steadyMs: 1000, aftermathMs: 4000 };

/** One failure in a deployment of its own. Rejects with a `SkipVariant` where that cannot be had. */
export async function runFailure(
  variant: Variant,
  failure: HardFailure,
  run: Parameters<typeof runFaultTrial>[2],
  load: typeof usual = usual,
): Promise<ScenarioTrial> {
  const beganMs = performance.now();
  const number = run.nextNumber();
  const settings = {
    ...(isPerCore(variant.stage) ? { workers: '2' } : {}),
    // One failure floods the chat with large messages.
    ...{ 'message-size-max': '64KiB', 'message-rate-max': '10000/s', 'messages-burst-max': '10000' },
    'reconnect-wait-max': time.format(reconnectWaitMsMax),
    ...failure.settings,
  };
  const placed = { ...variant, settings, nodes: failure.nodes, scenario: failure };
  const counted = { ...run, nextNumber: () => number };
  const trial = await runFaultTrial(placed, { ...load, reconnectWaitMsMax }, counted).catch(
    (error: Error) => {
      run.signal.throwIfAborted();
      if (error instanceof SkipVariant) throw error;
      return error;
    },
  );
  const frame = {
    ...{ number, variant: variant.name, stage: variant.stage.name, purpose: 'scenario' as const },
    ...{ scenario: failure.name, about: failure.about, family: failuresFamily, offenders: 0, gets: [] },
    ...{ seed: run.seed, startedAt: new Date(Date.now() - performance.now() + beganMs).toISOString() },
    seconds: Number(((performance.now() - beganMs) / 1000).toFixed(2)),
    kept: null,
    memoryBytesMax: null,
  };
  return trial instanceof Error
    ? { ...frame, ...withoutAudit, outcome: 'fail', reasons: [trial.message] }
    : { ...frame, ...auditOf(trial, failure) };
}

/** Of a failure that could not be brought about as it is described. */
const withoutAudit = {
  facts: {},
  got: {},
  neighbours: {
    ...{ sent: 0, lost: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0, closed: 0, closes: {} },
    ...{ p99Ms: null, p99MsMax: null },
  },
  crossedAfterMs: null,
};

/** The audit of a failure in the fields of a scenario. A final failure leaves nobody to recover. */
function auditOf(trial: FaultTrial, { isFinal, mayBeUnfelt }: HardFailure) {
  const { seed, startedAt, facts, closes } = trial;
  const closed = Object.values(closes).reduce((sum, count) => sum + count, 0);
  const untold = trial.participants - closed;
  const reasons = isFinal
    ? [
        ...(untold > 0 ? [`${untold} clients were not told that the server is gone`] : []),
        ...trial.reasons.filter((reason) => !reason.includes('did not recover')),
      ]
    : [...trial.reasons];
  // Else a failure that did not take place would pass.
  if (!mayBeUnfelt && closed === 0 && trial.unreadyAfterMs === null)
    reasons.push('the failure was not felt: nobody was closed, and every node stayed ready');
  const { lostSilently: lost, duplicated, reordered, published: sent } = trial;
  const counts = { sent, lost, duplicated, reordered, misrouted: 0, corrupted: 0, closed, closes };
  return {
    ...{ seed, startedAt, facts, got: closes },
    neighbours: { ...counts, p99Ms: null, p99MsMax: null },
    crossedAfterMs:
      trial.recoveredAfterMs === null ? null : Math.max(0, trial.recoveredAfterMs - trial.faultMs),
    outcome: reasons.length === 0 ? ('pass' as const) : ('fail' as const),
    reasons,
  };
}

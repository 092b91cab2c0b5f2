/** The health of the simulator. It is judged before the server: an unhealthy simulator makes a run void. */
import type { LatencySummary } from '../record/histogram.ts';
import { observedText } from './limits.ts';

export type HealthLimits = {
  /** Sent ÷ scheduled. Messages that the target made impossible do not count as missing. */
  achievedMin: number;
  scheduleLagMsP99Max: number;
  /** From this share of busy time on, a worker counts as never idle in a window of 250 ms. */
  loopUtilizationMax: number;
  /** Longest time for a worker that is never idle to read all waiting input. */
  turnMsP99Max: number;
  /** Largest share of the measure phase in which a worker may be never idle and read for longer than that. */
  saturatedShareMax: number;
  throttledMsMax: number;
};

/**
 * The limits of a healthy simulator. 0.99, 0.95 and 0.2 are chosen, not measured. Lag and turn are each a
 * tenth of the 250 ms that the lab's experiments allow as p99, so that neither can decide a verdict. No
 * throttling is tolerated: a throttled simulator measures its own pause.
 */
export const defaultHealthLimits: HealthLimits = {
  achievedMin: 0.99,
  scheduleLagMsP99Max: 25,
  loopUtilizationMax: 0.95,
  turnMsP99Max: 25,
  saturatedShareMax: 0.2,
  throttledMsMax: 0,
};

export type HealthObservation = {
  /** Messages due in the measure phase; of them the sent ones, and those that the target made impossible. */
  scheduled: number;
  sent: number;
  unsentByTarget: number;
  /** Messages whose user had been closed in an earlier step. */
  absent: number;
  scheduleLagMs: LatencySummary;
  /** Share of the measure phase in which a worker was saturated, by the limits of utilization and turn. */
  saturatedShare: number;
  throttledMs: number;
  /** Connections refused, by HTTP status or socket error code. */
  refused: Record<string, number>;
  /** A limit broke. */
  targetFailed: boolean;
};

/** Errors of a connect that are caused by this machine, not by the target. */
const ownErrors: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENOBUFS',
  'ENOMEM',
]);

/**
 * Why the run is void, one sentence each; empty if the simulator was healthy.
 *
 * A busy worker alone is no bottleneck: at high rates, bulk reading never leaves it idle. Each turn of its
 * event loop reads every ready socket, so it adds at most the length of a turn to a latency. So being busy
 * counts only together with long turns, and only if it lasts: a mean would hide a part of the phase, and a
 * short burst is covered by "undetermined". Slow reading can only make a server look worse: it makes a failed
 * run void, but never a passed one.
 */
export function judgeHealth(seen: HealthObservation, limits: HealthLimits): string[] {
  const reasons: string[] = [];
  const missing = seen.scheduled - seen.sent - seen.unsentByTarget;
  const achieved = 1 - missing / Math.max(1, seen.scheduled);
  // One may have been due in the very moment in which the phase ended.
  if (missing > 1 && achieved < limits.achievedMin)
    reasons.push(
      `the simulator sent ${percent(achieved)} of what was due; at least ${percent(limits.achievedMin)} is needed${seen.absent > 0 ? `; the users of ${seen.absent} messages had been closed in an earlier step` : ''}`,
    );
  if (seen.scheduleLagMs.p99 > limits.scheduleLagMsP99Max)
    reasons.push(
      `the simulator sent late: p99 of its schedule lag was ${observedText(`lag.p99<=${limits.scheduleLagMsP99Max}ms`, seen.scheduleLagMs.p99)}; the limit is ${limits.scheduleLagMsP99Max} ms`,
    );
  if (seen.saturatedShare > limits.saturatedShareMax && seen.targetFailed)
    reasons.push(
      `the simulator may have been the bottleneck: for ${percent(seen.saturatedShare)} of the time a worker was ${percent(limits.loopUtilizationMax)} busy and took more than ${limits.turnMsP99Max} ms to read what was waiting; the limit is ${percent(limits.saturatedShareMax)}`,
    );
  const exhausted = Object.entries(seen.refused).filter(([why]) => ownErrors.has(why));
  if (exhausted.length > 0)
    reasons.push(
      `the simulator ran out of files, ports or buffers: ${exhausted.map(([why, count]) => `${count} × ${why}`).join(', ')}`,
    );
  if (seen.throttledMs > limits.throttledMsMax)
    reasons.push(
      `the simulator's container was throttled for ${Math.round(seen.throttledMs)} ms; the limit is ${limits.throttledMsMax} ms`,
    );
  return reasons;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

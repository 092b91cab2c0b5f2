/** The health of the simulator. It is judged before the server: an unhealthy simulator makes a run void. */
import type { LatencySummary } from '../record/histogram.ts';

export type HealthLimits = {
  /** Sent ÷ scheduled. Messages that the target made impossible do not count as missing. */
  achievedMin: number;
  scheduleLagMsP99Max: number;
  /** From this share of busy time on, a worker counts as never idle. */
  loopUtilizationMax: number;
  /** Longest time for a busy worker to read all waiting input (p99 of its turns, weighted by length). */
  turnMsP99Max: number;
  throttledMsMax: number;
};

/**
 * The limits of a healthy simulator. 0.99 and 0.95 are chosen, not measured. Lag and turn are each a tenth of
 * the 250 ms that the lab's experiments allow as p99, so that neither can decide a verdict. No throttling is
 * tolerated: a throttled simulator measures its own pause.
 */
export const defaultHealthLimits: HealthLimits = {
  achievedMin: 0.99,
  scheduleLagMsP99Max: 25,
  loopUtilizationMax: 0.95,
  turnMsP99Max: 25,
  throttledMsMax: 0,
};

export type HealthObservation = {
  /** Messages due in the measure phase; of them the sent ones, and those that the target made impossible. */
  scheduled: number;
  sent: number;
  unsentByTarget: number;
  scheduleLagMs: LatencySummary;
  turnMs: LatencySummary;
  loopUtilizationMax: number;
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
 * counts only together with long turns. Slow reading can only make a server look worse: it makes a failed run
 * void, but never a passed one.
 */
export function judgeHealth(seen: HealthObservation, limits: HealthLimits): string[] {
  const reasons: string[] = [];
  const achieved = seen.scheduled === 0 ? 1 : (seen.sent + seen.unsentByTarget) / seen.scheduled;
  if (achieved < limits.achievedMin)
    reasons.push(
      `the simulator sent ${percent(achieved)} of what was due; at least ${percent(limits.achievedMin)} is needed`,
    );
  if (seen.scheduleLagMs.p99 > limits.scheduleLagMsP99Max)
    reasons.push(
      `the simulator sent late: p99 of its schedule lag was ${seen.scheduleLagMs.p99} ms; the limit is ${limits.scheduleLagMsP99Max} ms`,
    );
  const saturated =
    seen.loopUtilizationMax >= limits.loopUtilizationMax && seen.turnMs.p99 > limits.turnMsP99Max;
  if (saturated && seen.targetFailed)
    reasons.push(
      `the simulator may have been the bottleneck: a worker was busy ${percent(seen.loopUtilizationMax)} of the time and took ${seen.turnMs.p99} ms (p99) to read what was waiting; the limits are ${percent(limits.loopUtilizationMax)} and ${limits.turnMsP99Max} ms`,
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

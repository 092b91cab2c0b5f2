/** Is the instrument itself well? What it says about itself, judged before anything is said about the server. */
import type { LatencySummary } from '../result/result.ts';

export type HealthLimits = {
  /** Sent ÷ scheduled; what the target made impossible does not count as missing. */
  achievedMin: number;
  scheduleLagMsP99Max: number;
  /** CPU of a worker's thread from which on it counts as busy all the time, in cores. */
  utilizationMax: number;
  /** How long a busy worker may take to read all that is waiting (p99 of its turns). */
  turnMsP99Max: number;
  throttledMsMax: number;
};

/**
 * The void rules. 0.99 is the design's; the lag and the turn are each a tenth of the 250 ms that the lab's experiments
 * allow as p99, so that neither can make a server pass or fail by itself. No throttling is tolerated: a stopped instrument
 * measures its own stop.
 */
export const defaultHealthLimits: HealthLimits = {
  achievedMin: 0.99,
  scheduleLagMsP99Max: 25,
  utilizationMax: 0.95,
  turnMsP99Max: 25,
  throttledMsMax: 0,
};

export type HealthObservation = {
  /** Messages due in the measure phase, sent, and not sent because the target had closed or blocked the sender. */
  scheduled: number;
  sent: number;
  unsentByTarget: number;
  scheduleLagMs: LatencySummary;
  turnMs: LatencySummary;
  workerUtilizationMax: number;
  throttledMs: number;
};

/**
 * Why the trial is void, one sentence each; empty when the instrument was well.
 *
 * A busy worker is not by itself a bottleneck: one that reads in bulk is always busy at high rates. What it may add to a
 * latency is bounded by how long a turn of its event loop takes, because each turn reads every socket that has something.
 * So CPU counts only together with long turns.
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
  if (seen.workerUtilizationMax >= limits.utilizationMax && seen.turnMs.p99 > limits.turnMsP99Max)
    reasons.push(
      `the simulator was the bottleneck: a worker used ${percent(seen.workerUtilizationMax)} of a core and took ${seen.turnMs.p99} ms (p99) to read what was waiting; the limits are ${percent(limits.utilizationMax)} and ${limits.turnMsP99Max} ms`,
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

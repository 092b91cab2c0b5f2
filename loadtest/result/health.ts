/** Is the instrument itself well? What it says about itself, judged before anything is said about the server. */
import type { LatencySummary } from './schema.ts';

export type HealthLimits = {
  /** Sent ÷ scheduled; what the target made impossible does not count as missing. */
  achievedMin: number;
  scheduleLagMsP99Max: number;
  /** Share of the time from which on a worker counts as never idle. */
  loopUtilizationMax: number;
  /** How long a busy worker may take to read all that is waiting (p99 of its turns, weighted by time). */
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
  loopUtilizationMax: 0.95,
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
  loopUtilizationMax: number;
  throttledMs: number;
  /** Connections refused, by HTTP status or socket error code. */
  refused: Record<string, number>;
  /** A limit broke. */
  targetFailed: boolean;
};

/** Errors of a connect that say something about this machine, not about the target. */
const ownErrors: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENOBUFS',
  'ENOMEM',
]);

/**
 * Why the trial is void, one sentence each; empty when the instrument was well.
 *
 * A worker that is never idle is not by itself a bottleneck: who reads in bulk is always busy at high rates. What it may
 * add to a latency is bounded by how long a turn of its event loop takes, because each turn reads every socket that has
 * something; so being busy counts only together with long turns. And slow reading can only make a server look worse: it
 * voids a trial that failed, since the instrument may be the cause, but not one that passed in spite of it.
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

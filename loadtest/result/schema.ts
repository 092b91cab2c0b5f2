/** The result of one run: the schema of the JSON file that `--json` writes and that all reports read. */
import { readFileSync } from 'node:fs';
import type { AuditCounts } from '../record/counts.ts';
import type { LatencySummary } from '../record/histogram.ts';
import type { Series } from '../record/series.ts';
import type { ChurnCounts } from '../users/churn-user.ts';
import type { StalledReport } from '../users/stalled-reader.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { DirectResult } from './direct-result.ts';
import type { Environment } from './environment.ts';
import type { ConnectResult, ResumeResult } from './resume-result.ts';

/**
 * Whether the limits held. `void`: the simulator failed. `undetermined`: a limit of latency broke, but would
 * have held with twice the p99 of the simulator's own turn taken off.
 */
export type Verdict = 'pass' | 'fail' | 'undetermined' | 'void';

export type LoadtestResult = {
  schemaVersion: 1;
  verdict: Verdict;
  /** Why it is no pass, one sentence each; empty for a pass. */
  reasons: string[];
  workload: ResolvedWorkload;
  startedAt: string;
  limits: { expression: string; held: boolean; observed: number }[];
  audit: AuditCounts;
  /** Of an interrupted run: deliveries that were under way at its end, neither expected nor lost. */
  underWay?: number;
  /** Deliveries of earlier steps of the run that came after this step had begun. They count nowhere else. */
  late: number;
  /** Length of a measure phase that was ended because a limit could no longer hold; null or absent: whole. */
  abortedAfterSeconds?: number | null;
  /**
   * From the end of the measure phase to the last delivery that was owed; 0 if nothing was outstanding then,
   * null if something was still outstanding when the drain ended.
   */
  recoveredSeconds: number | null;
  /**
   * By how much the backlog grew through the measure phase, in ms of its load: how much further behind its
   * schedule the target was in the last third than in the first. Null if the phase is shorter than 2.25 s.
   */
  backlogGrowthMs: number | null;
  /** Of the misrouted deliveries, those of another run: another simulator was sending in the same room. */
  misroutedOfOtherRuns: number;
  /**
   * In how many places a wrong order could have been seen: pairs of successive messages of one sender (of one
   * room, where `workload.order` is one-for-all) times the recipients. 0: the order was not tested.
   */
  orderedPairs: number;
  /** Messages of the measure phase that were sent. */
  sent: number;
  offeredPerSecond: number;
  achievedPerSecond: number;
  /** Deliveries of measured messages ÷ measured seconds. */
  deliveriesPerSecond: number;
  /**
   * Receipt − due time, of every delivery that was owed. One that was outstanding when the drain ended counts
   * as infinitely late: 2147483.647 stands for infinity in all percentiles and in the histograms.
   */
  deliveryLatencyMs: LatencySummary;
  /** Receipt − actual send, of every delivery that was owed. */
  serviceLatencyMs: LatencySummary;
  /** Actual send − due time: the instrument's own error. Of an unsent message: its lag at the end. */
  scheduleLagMs: LatencySummary;
  /** HDR V2 compressed, base64, in microseconds; 2147483647 stands for infinity. */
  histograms: { deliveryLatencyUs: string; serviceLatencyUs: string; scheduleLagUs: string };
  connections: {
    asked: number;
    opened: number;
    /** Connected when the step began: the recipients of its messages. */
    recipients: number;
    /** Before the upgrade, by HTTP status or socket error code. */
    refused: Record<string, number>;
    /** Closed by the server in this step, by close code. */
    closedEarly: Record<string, number>;
    /** Connected users that received no probe. */
    silent: number;
    connectMs: LatencySummary;
  };
  /** Messages due in the measure phase and not sent: the target closed the user, or did not read from it. */
  unsent: {
    closed: number;
    blocked: number;
    /** The user had been closed before the step: this part of the load was never made. */
    absent: number;
  };
  /** Extra connections that never read; not audited. `closedAfterMs` is up to a second too long. */
  stalled: StalledReport;
  /** Extra connections at `workload.churnPerSecond` that stayed a second each; not audited. */
  churn: Pick<ChurnCounts, 'asked' | 'opened' | 'refused'> & { connectMs: LatencySummary };
  /** Of a step with `--resume`. */
  resume?: ResumeResult;
  /** Of a step with `--connect`: how its connect services answered. */
  connect?: ConnectResult;
  /** Of a step with `--people`. */
  direct?: DirectResult;
  /** True if the run was stopped early; counts and latencies are of the time until then. */
  interrupted: boolean;
  /** Usage and health of the simulator, over the measure phase. */
  instrument: {
    cpuSeconds: number;
    /** CPU of the busiest worker, 0 to 1. */
    workerUtilizationMax: number;
    /** The longest turn of an event loop, see `turnMs`. */
    eventLoopLagMsMax: number;
    /**
     * How long turns of the event loops took to read all waiting input: the simulator's possible share of a
     * latency. Each turn counts by its length (so `count` is the sum in µs): 99 % of the reading was done in
     * turns of `p99` or less.
     */
    turnMs: LatencySummary;
    /** Share of the time in which the event loop of the busiest worker was not idle, 0 to 1. */
    loopUtilizationMax: number;
    /** Share of the measure phase in which a worker was never idle and had turns above the turn limit. */
    saturatedShare: number;
    throttledSeconds: number;
    /** Of all workers, at the end of the measure phase. */
    rssBytes: number;
    /** Growth of the workers' memory by connecting ÷ clients that connected. */
    rssBytesPerClient: number;
  };
  series: Series;
  environment: Environment;
};

/** The file of a run with `--step`: a whole result for each step. */
export type StepsResult = { stepsSchemaVersion: 1; steps: LoadtestResult[] };

/** What the result file of a run holds. */
export type RunResult = LoadtestResult | StepsResult;

/** Reads a result file. Throws if it is not of this schema. */
export function readResult(path: string): LoadtestResult {
  return parseResult(readFileSync(path, 'utf8'), path);
}

/** Reads what `--json` wrote, also of a run with steps. Throws a sentence if the file holds none. */
export function readRunResult(path: string): RunResult {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const { stepsSchemaVersion, steps } = Object(value) as { stepsSchemaVersion?: unknown; steps?: unknown };
  if (stepsSchemaVersion !== 1 || !Array.isArray(steps)) return checkSchema(value, path);
  for (const step of steps) checkSchema(step, path);
  return value as StepsResult;
}

/** Parses the text of a result. Throws if it is not of this schema; `origin` names it in the error. */
export function parseResult(text: string, origin: string): LoadtestResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${origin} is not JSON: ${(error as Error).message}`);
  }
  return checkSchema(value, origin);
}

/** The same for a value that has been parsed. */
export function checkSchema(value: unknown, origin: string): LoadtestResult {
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (version !== 1)
    throw new Error(
      `${origin} is not a load-test result of schema 1; its schemaVersion is ${String(version)}`,
    );
  return value as LoadtestResult;
}

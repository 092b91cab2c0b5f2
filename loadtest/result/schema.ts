/** The result of one load test: the schema of the JSON file that `--json` writes and that every report reads. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Milliseconds; of a histogram with three significant digits. All zero when nothing was recorded (`count` 0). */
export type LatencySummary = {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
};

/** Exact counts over all recipients. `lost` is what was sent, was owed to a recipient, and never came. */
export type AuditCounts = {
  expected: number;
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
};

export type Verdict = 'pass' | 'fail' | 'void';

/** One value per second of the run, warm-up and drain included; all arrays have the length of `atSeconds`. */
export type Series = {
  /** Seconds since the measure phase began; negative during warm-up. */
  atSeconds: number[];
  sentPerSecond: number[];
  deliveriesPerSecond: number[];
  deliveryLatencyMsP50: number[];
  deliveryLatencyMsP99: number[];
  deliveryLatencyMsMax: number[];
  scheduleLagMsP99: number[];
  /** Of all workers together, in cores. */
  instrumentCpuCores: number[];
  sessionsOpen: number[];
};

export type LoadtestResult = {
  schemaVersion: 1;
  verdict: Verdict;
  /** Why it is not a pass, one sentence each; for a pass, empty. */
  reasons: string[];
  /** What was asked for. */
  workload: {
    urls: string[];
    clients: number;
    rooms: number;
    sendersPerRoom: number;
    ratePerSecond: number;
    arrival: 'constant' | 'poisson';
    /** Of the JSON in each frame, as sent. */
    payloadBytes: number;
    seed: number;
    stalledReaders: number;
    churnPerSecond: number;
    workers: number;
    sourceAddresses: string[];
    connectPerSecond: number;
    warmUpSeconds: number;
    durationSeconds: number;
    drainSeconds: number;
  };
  startedAt: string;
  limits: { expression: string; held: boolean; observed: number }[];
  audit: AuditCounts;
  /** Of those misrouted, the ones of another run: another load test was talking in the same room. */
  misroutedOfOtherRuns: number;
  /** Messages that really left in the measure phase. */
  sent: number;
  offeredPerSecond: number;
  achievedPerSecond: number;
  /** Deliveries of measured messages ÷ measured seconds. */
  deliveriesPerSecond: number;
  /** Receipt − due time. */
  deliveryLatencyMs: LatencySummary;
  /** Receipt − actual send. */
  serviceLatencyMs: LatencySummary;
  /** Actual send − due time: the instrument's own error. */
  scheduleLagMs: LatencySummary;
  /** HDR V2 compressed, base64, in microseconds. */
  histograms: { deliveryLatencyUs: string; serviceLatencyUs: string; scheduleLagUs: string };
  connections: {
    asked: number;
    opened: number;
    /** Before the upgrade, by HTTP status or socket error code. */
    refused: Record<string, number>;
    /** Closed before the end although we did not ask for it, by close code. */
    closedEarly: Record<string, number>;
    /** Connected, but heard nothing in the probe. */
    silent: number;
    connectMs: LatencySummary;
  };
  /** Messages due in the measure phase that the target kept from leaving: it had closed the sender, or did not read it. */
  unsent: { closed: number; blocked: number };
  /** Extra connections that never read; not audited. `closedAfterMs` is since their opening, to a second. */
  stalled: { opened: number; closed: number; closedAfterMs: number[] };
  /** Extra connections that came and went at `workload.churnPerSecond`, each for a second; not audited. */
  visitors: { asked: number; opened: number; refused: Record<string, number>; connectMs: LatencySummary };
  /** True where the run was stopped before its end; counts and latencies are of what was measured until then. */
  interrupted: boolean;
  /** The instrument's own health, over the measure phase. */
  instrument: {
    cpuSeconds: number;
    /** CPU of the busiest worker, 0 to 1. */
    workerUtilizationMax: number;
    /** The longest that a worker took to read all that was waiting for it. */
    eventLoopLagMsMax: number;
    /**
     * The same for all turns of the event loops, each weighted by the microseconds it took (so `count` is their sum):
     * what the instrument can have added to a latency. 99 % of the reading was done in turns no longer than `p99`.
     */
    turnMs: LatencySummary;
    /** Share of the time in which the busiest worker's event loop was not idle, 0 to 1. */
    loopUtilizationMax: number;
    throttledSeconds: number;
    /** Of all workers, at the end of the measure phase. */
    rssBytes: number;
    /** What connecting added to the workers' memory ÷ clients that connected. */
    rssBytesPerClient: number;
  };
  series: Series;
  environment: {
    node: string;
    platform: string;
    cpuModel: string;
    cpus: number;
    memoryBytes: number;
    cgroupCpuCores: number | null;
    cgroupMemoryBytes: number | null;
    gitCommit: string | null;
    gitDirty: boolean | null;
  };
};

/** Writes a result as JSON; a path of `-` is standard output. */
export function writeResult(path: string, result: LoadtestResult): void {
  const text = `${JSON.stringify(result)}\n`;
  if (path === '-') process.stdout.write(text);
  else writeFileSync(path, text);
}

/** Reads a result file; throws with what was found where it is not one of this schema. */
export function readResult(path: string): LoadtestResult {
  return parseResult(readFileSync(path, 'utf8'), path);
}

/** Parses the text of a result; `origin` names it in errors. */
export function parseResult(text: string, origin: string): LoadtestResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${origin} is not JSON: ${(error as Error).message}`);
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (version !== 1)
    throw new Error(
      `${origin} is not a load-test result of schema 1; its schemaVersion is ${String(version)}`,
    );
  return value as LoadtestResult;
}

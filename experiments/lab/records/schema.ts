/** The schema of result files, for all shapes of experiment. Every report is a function of these alone. */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { Allocation, FaultKind, ObservedLimits, TargetKind } from '../deployment/deployment.ts';
import type { ResizeRecord } from './resize-schema.ts';
import type { ServerSummary } from './server-summary.ts';
import type { SoakMethod, SoakSeries } from './soak-schema.ts';

export type { ServerSummary };

/** `pass`: all limits held; `fail`: one broke; `void`: the instrument failed, so nothing is known. */
export type TrialOutcome = 'pass' | 'fail' | 'void';

/**
 * `warm-up`: a short look for the edge, which also gets the code compiled, and counts for nothing; `search`:
 * a trial of the search; `curve`: latency at a share of the capacity; `freeze`:
 * recovery from a freeze; `fixed`: a load that was asked for; `fault`: a failure; `scenario`: an offence or a
 * failure of a suite; `figures`: what clients of the lab have measured; `soak`: a long one.
 */
export type TrialPurpose =
  | 'warm-up'
  | 'search'
  | 'curve'
  | 'freeze'
  | 'fixed'
  | 'fault'
  | 'scenario'
  | 'figures'
  | 'soak';

/** The fields that trials of every shape have. */
export type TrialHeader = {
  /** Counts from 1 through the run. */
  number: number;
  variant: string;
  stage: string;
  /** Why it ran; trials of a capacity search do not decide the exit code by themselves. */
  purpose: TrialPurpose;
  outcome: TrialOutcome | 'interrupted';
  /** Why it is not a pass, one sentence each. */
  reasons: string[];
  seed: number;
  startedAt: string;
  facts: Readonly<Record<string, string>>;
};

/** The reason why a variant fails above its capacity, with the figures that show it. */
export type Bound = { name: BoundName; evidence: string };

export type BoundName =
  | 'instrument'
  | 'disturbance'
  | 'memory'
  | 'crash'
  | 'refused connections'
  | 'CPU quota'
  | 'event loop'
  | 'machine'
  | 'Redis'
  | 'garbage collection'
  | 'loss'
  /** No resource is used up by failed trials alone. */
  | 'not known'
  | 'another limit'
  | 'nothing';

export type SearchEnd =
  /** The interval of the capacity is as narrow as was asked. */
  | 'precise'
  /** Above the loads that passed the instrument failed: the server may carry more. */
  | 'instrument'
  /** The highest load allowed passed: the server may carry more. */
  | 'load-max'
  /** Even the lowest load allowed failed. */
  | 'load-min'
  /** Something else on the machine made trial after trial void. */
  | 'disturbed'
  /** The time was spent first; the interval says how much is known. */
  | 'time-max'
  /** The bound on trials was reached first; the interval says how much is known. */
  | 'trials-max';

/** A load with its 90 % credible interval (from the 5 % to the 95 % quantile); `middle` is the median. */
export type LoadEstimate = { low: number; middle: number; high: number };

/** The edge of a variant, as its trials show it (analysis/threshold.ts). */
export type Threshold = {
  /** The load that half of the trials hold. */
  capacity: LoadEstimate;
  /** The load that 9 of 10 trials hold. */
  safeLoad: LoadEstimate;
  /** How gradual the edge is: the median of s. */
  slope: number;
};

export type CapacityAnswer = {
  end: SearchEnd;
  /** Null where no trial passed. */
  threshold: Threshold | null;
  /** The load that it holds at the least, where no trial failed because of the server; else null. */
  atLeast: number | null;
  /** The capacity lies above or below all loads that were judged. Absent in older files. */
  isBeyondTried?: boolean;
  trials: number;
  /** Those of them that say nothing about the server. */
  voids: number;
  /** Loads after which the server had not recovered within that time, although the load was gone. */
  metastable?: readonly { load: number; seconds: number }[];
};

/** The place of a variant in a question about growth: how many of what it has, beside others of its group. */
export type Scale = {
  of: 'nodes' | 'workers';
  count: number;
  /** The same for variants that differ in nothing but the count, e.g. `05-backplane, one room`. */
  group: string;
};

export type VariantRecord = {
  name: string;
  stage: string;
  /** The one change of the stage, in its own words. */
  summary: string;
  settings: Readonly<Record<string, string>>;
  nodes: number;
  /** True where the simulator reached the nodes through a load balancer alone. */
  balancer?: boolean;
  /** Absent where the experiment does not ask about growth. */
  scale?: Scale;
  targetLimits: Allocation;
  /** Null where no capacity was searched, and where the search was interrupted. */
  answer: CapacityAnswer | null;
  bound: Bound | null;
  /** Why no trial was possible; null where there were trials. */
  error: string | null;
};

/** The fields that runs of every shape have. */
export type RunRecord = {
  schemaVersion: 2;
  /** Name of the shape that wrote it, and that reports it. */
  shape: string;
  /** Directory name, e.g. `2026-11-20T20-15-03-001-ladder`. */
  run: string;
  experiment: string;
  question: string;
  notes: readonly string[];
  /** Expressions such as `p99<250ms`. */
  limits: readonly string[];
  target: TargetKind;
  /** Where the simulator ran; null where the lab's own clients were used. */
  simulator: TargetKind | null;
  seed: number;
  startedAt: string;
  seconds: number;
  interrupted: boolean;
  environment: LoadtestResult['environment'];
  variants: VariantRecord[];
  /** Variants that could not be run, and how to get what they need. */
  skipped: { name: string; reason: string; ways: string[] }[];
};

/** A run as its shape reports it; each shape adds its own fields to both. */
export type Run<Record extends RunRecord = RunRecord, Trial extends TrialHeader = TrialHeader> = {
  record: Record;
  trials: Trial[];
};

/** One node over the whole trial; `atSeconds` counts from the start of the measure phase. */
export type NodeSeries = {
  name: string;
  role: 'server' | 'redis' | 'proxy' | 'media';
  atSeconds: number[];
  cpuCores: number[];
  rssBytes: number[];
  /** Share of wall time in which the CPU quota held the node back, 0 to 1; null where no quota is visible. */
  throttledShare: (number | null)[];
};

/** Metrics of a node, read at /metrics about once a second; null where it did not answer in time. */
export type MetricsSeries = {
  name: string;
  atSeconds: number[];
  /** How long /metrics took to answer. */
  scrapeMs: (number | null)[];
  eventLoopLagMsP99: (number | null)[];
  heapUsedBytes: (number | null)[];
  sessions: (number | null)[];
  evictions: (number | null)[];
  /** Open descriptors; absent in old results, null where the kernel does not count them. */
  openFiles?: (number | null)[];
};

/** How one path of the internal port answered. Times from request to last byte; zero without an answer. */
export type ProbeSummary = {
  path: string;
  sent: number;
  /** Answered with 2xx. */
  answered: number;
  /** Other statuses, broken connections, and no answer within the deadline. */
  failed: number;
  /** Of one answer, headers included. */
  bytes: number;
  answerMs: { mean: number; p50: number; p99: number; max: number };
};

/** A trial at one load, measured by the simulator. */
export type TrialRecord = TrialHeader & {
  load: number;
  /** Of the capacity; only where the load was chosen so. */
  share?: number;
  /** Which start of the server by the search it ran on, from 1; only in a search, absent in old results. */
  serverStart?: number;
  /**
   * All nodes were stopped for so long, at that time of the measure phase. The last figure is the time from
   * its end until the p99 was as before; null: not in this trial.
   */
  freeze?: { atSeconds: number; seconds: number; recoveredSeconds: number | null };
  /** Nodes came and went during the measure phase. */
  resize?: ResizeRecord;
  /**
   * After an overload: seconds until a light load was answered in time again; null where that took too long,
   * so that the server was started anew. Absent where the trial left no backlog.
   */
  recoverySeconds?: number | null;
  phases: { phase: string; atSeconds: number }[];
  observedLimits: readonly ObservedLimits[];
  /** Cores that the server nodes are pinned to, in total; null where they are not; absent in old results. */
  pinnedServerCores?: number | null;
  /** The failure of a server node, such as its exit; null while all were well. */
  fault: string | null;
  /** Of that failure; absent without one, and in old results. */
  faultKind?: FaultKind;
  server: ServerSummary | null;
  /** Of the first node during the measure phase; empty where nothing was measured. */
  probes: ProbeSummary[];
  /** Of a trial of purpose `soak`, instead of the series. */
  soak?: SoakSeries;
  nodes: NodeSeries[];
  metrics: MetricsSeries[];
  loadtest: LoadtestResult | null;
};

/** Length of the phases of a trial; the drain ends earlier when nothing is outstanding. */
export type Timing = { warmUpSeconds: number; measureSeconds: number; drainSeconds: number };

/** The quantity that is varied: an axis title and its unit, e.g. `offered messages` in `messages/s`. */
export type Varied = { quantity: string; unit: string };

/** Search for the load that half of the trials hold. */
export type CapacityMethod = {
  kind: 'capacity';
  /** First load of the first variant; each later variant starts below the capacity of the one before. */
  start: number;
  loadMin: number;
  loadMax: number;
  /** The search ends when the 90 % interval of the capacity is this share to either side, or less. */
  precision: number;
  /** Bound on the number of trials; void ones count, unless something else disturbed them. */
  trialsMax: number;
};

/** The same loads for every variant, each repeated. */
export type FixedMethod = {
  kind: 'fixed';
  loads: readonly number[];
  repetitions: number;
  /**
   * What the report is about: the loads that held the limits, the cost of the highest load, how users that
   * left at once came back, or what was felt while nodes came and went.
   */
  emphasis: 'held' | 'cost' | 'storm' | 'resize';
};

/** A run whose trials each have one load. */
export type LoadRunRecord = RunRecord & {
  varied: Varied;
  method: CapacityMethod | FixedMethod | SoakMethod;
  timing: Timing;
  /** At load 1, which shows everything that is not varied. */
  workload: Readonly<Record<string, unknown>>;
};

export type LoadRun = Run<LoadRunRecord, TrialRecord>;

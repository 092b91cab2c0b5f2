/** The files of a run: their schema, and how they are written and read. Every report is a function of them alone. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { Bound } from '../analysis/bottleneck.ts';
import type { CapacityAnswer, TrialOutcome, TrialPurpose } from '../analysis/capacity-search.ts';
import type { Allocation, ObservedLimits, TargetKind } from '../deployment/deployment.ts';
import type { CapacityMethod, FixedMethod, Timing, Varied, Workload } from '../shapes/experiment.ts';
import type { ProbeSummary } from '../trial/probe.ts';

/** One node over the whole trial; `atSeconds` counts from the start of the measure phase. */
export type NodeSeries = {
  name: string;
  role: 'server' | 'redis' | 'proxy';
  atSeconds: number[];
  cpuCores: number[];
  rssBytes: number[];
  /** Share of wall time the CPU quota held the node back, 0 to 1; null where no quota can be seen. */
  throttledShare: (number | null)[];
};

/** What a server node said of itself at /metrics, about once a second; null where it did not answer in time. */
export type MetricsSeries = {
  name: string;
  atSeconds: number[];
  /** How long /metrics took to answer. */
  scrapeMs: (number | null)[];
  eventLoopLagMsP99: (number | null)[];
  heapUsedBytes: (number | null)[];
  sessions: (number | null)[];
  evictions: (number | null)[];
};

/** Sums over the server nodes, measure phase only. */
export type ServerSummary = {
  cpuCores: number;
  /** Of the services beside the servers (Redis, a proxy), which are in none of the other figures. */
  serviceCpuCores: number;
  /** Of processes that are no part of the trial: what disturbed it. */
  otherCpuCores: number;
  /** Processes of all server nodes, where they can be counted from outside; a container counts as one. */
  processes: number;
  /** Event loops of all server nodes, as they say themselves; absent in results of before they did. */
  eventLoops?: number;
  /** After start, before the first session. */
  rssIdleBytes: number;
  rssMaxBytes: number;
  throttledShare: number | null;
  eventLoopLagMsP99: number | null;
  scrapeMsMax: number | null;
  /** CPU that a scrape took from the event loop, mean, as the server itself says; absent in results of before it did. */
  scrapeCpuMs?: number | null;
  evictions: number;
};

export type TrialRecord = {
  number: number;
  variant: string;
  stage: string;
  load: number;
  purpose: TrialPurpose | 'fixed';
  outcome: TrialOutcome | 'interrupted';
  /** Why it did not pass, one sentence each. */
  reasons: string[];
  seed: number;
  startedAt: string;
  phases: { phase: string; atSeconds: number }[];
  observedLimits: readonly ObservedLimits[];
  /** Cores that the server nodes are pinned to, all together; null where they are not, absent in older results. */
  pinnedServerCores?: number | null;
  facts: Readonly<Record<string, string>>;
  /** What happened to a server node, null while all were well. */
  fault: string | null;
  server: ServerSummary | null;
  /** How the internal port of the first node answered while measured; none where nothing was measured. */
  probes: ProbeSummary[];
  nodes: NodeSeries[];
  metrics: MetricsSeries[];
  loadtest: LoadtestResult | null;
};

export type VariantRecord = {
  name: string;
  stage: string;
  /** The stage's one change, in its own words. */
  summary: string;
  settings: Readonly<Record<string, string>>;
  nodes: number;
  targetLimits: Allocation;
  /** Null for fixed loads, and where the search was interrupted. */
  answer: CapacityAnswer | null;
  bound: Bound | null;
  /** Why no trial could be had of it; null where there were trials. */
  error: string | null;
};

export type RunRecord = {
  schemaVersion: 1;
  /** Directory name, e.g. `2026-11-20T20-15-03-001-ladder`. */
  run: string;
  experiment: string;
  question: string;
  varied: Varied;
  method: CapacityMethod | FixedMethod;
  limits: readonly string[];
  timing: Timing;
  /** At load 1, so that what is not varied can be read off. */
  workload: Workload;
  notes: readonly string[];
  target: TargetKind;
  seed: number;
  startedAt: string;
  seconds: number;
  interrupted: boolean;
  environment: LoadtestResult['environment'];
  variants: VariantRecord[];
  /** Variants that could not be run, and how to get what they need. */
  skipped: { name: string; reason: string; ways: string[] }[];
};

/** A run as a report wants it. */
export type Run = { record: RunRecord; trials: TrialRecord[] };

/** Writes `run.json`; called again as the run goes on, so that an interrupted run is a result too. */
export function writeRunRecord(directory: string, record: RunRecord): void {
  mkdirSync(join(directory, 'trials'), { recursive: true });
  writeFileSync(join(directory, 'run.json'), `${JSON.stringify(record, null, 1)}\n`);
}

/** Writes `trials/NNN.json`. */
export function writeTrialRecord(directory: string, trial: TrialRecord): void {
  const name = `${String(trial.number).padStart(3, '0')}.json`;
  writeFileSync(join(directory, 'trials', name), `${JSON.stringify(trial)}\n`);
}

/** Reads a run from its directory or from a compact file; throws with what is missing where it is neither. */
export function readRun(path: string): Run {
  if (!statSync(path).isDirectory()) return checkRun(JSON.parse(readFileSync(path, 'utf8')) as Run, path);
  const record = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')) as RunRecord;
  const names = readdirSync(join(path, 'trials')).filter((name) => name.endsWith('.json'));
  const trials = names
    .sort()
    .map((name) => JSON.parse(readFileSync(join(path, 'trials', name), 'utf8')) as TrialRecord);
  return checkRun({ record, trials }, path);
}

function checkRun(run: Run, path: string): Run {
  const version = run.record?.schemaVersion;
  if (version !== 1)
    throw new Error(`${path} is not a run of schema 1; its schemaVersion is ${String(version)}`);
  return run;
}

/** Names of the runs in a results directory, oldest first; empty where there is none. */
export function listRuns(resultsDirectory: string): string[] {
  try {
    return readdirSync(resultsDirectory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /^\d{4}-\d\d-\d\dT/.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

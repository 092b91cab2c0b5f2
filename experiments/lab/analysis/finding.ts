/** The figures of a run: the one place where results become the numbers that reports print. Pure. */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { CapacityMethod, LoadRun, Threshold, TrialRecord, VariantRecord } from '../records/schema.ts';
import { medianOf } from './statistics.ts';
import {
  heldAtLeast,
  isBeyondTried,
  type Judged,
  type Posterior,
  posteriorOf,
  thresholdOf,
  triedRange,
} from './threshold.ts';

type Finding = {
  variant: VariantRecord;
  /** Its figures stand for the variant: the highest pass up to the capacity, or the median p99 of a load. */
  typical: TrialRecord | null;
  /** Of the typical trial. */
  result: LoadtestResult | null;
  server: TrialRecord['server'];
};

/** The answer for one variant of a capacity search. */
export type CapacityFinding = Finding & {
  /** Capacity and safe load, in the unit of the varied quantity; null where no trial passed. */
  threshold: Threshold | null;
  /** The load that it holds at the least, where no trial failed because of the server; else null. */
  atLeast: number | null;
  /** The capacity lies above or below all loads that were judged. */
  isBeyondTried: boolean;
  posterior: Posterior;
  /** Those of the search, void ones included. */
  trials: readonly TrialRecord[];
  /** Trials that passed near the capacity: at four fifths of it or more. */
  near: readonly TrialRecord[];
  /** Memory that each session added to the idle server. */
  rssBytesPerSession: number | null;
};

/** The answer for one variant at one fixed load. */
export type FixedFinding = Finding & {
  load: number;
  trials: readonly TrialRecord[];
  rssGrownBytes: number | null;
};

/** Chosen, not measured: below it a server has headroom, and its figures are of another state. */
const nearShare = 0.8;

/** One for each variant, in the order they ran. */
export function capacityFindings(run: LoadRun): CapacityFinding[] {
  const { loadMin, loadMax } = run.record.method as CapacityMethod;
  return run.record.variants.map((variant) => {
    const trials = run.trials.filter((trial) => trial.variant === variant.name && isOfSearch(trial));
    const judged = judgedOf(trials);
    const posterior = posteriorOf(judged, triedRange(judged, { loadMin, loadMax }));
    const passed = trials.filter(({ outcome }) => outcome === 'pass').toSorted((a, b) => a.load - b.load);
    const threshold = passed.length === 0 ? null : thresholdOf(posterior);
    const isHeld = ({ load }: TrialRecord) => load <= threshold!.capacity.middle;
    const finding = findingOf(variant, passed.findLast(isHeld) ?? passed.at(-1) ?? null);
    const grownBytes = grownBytesOf(finding);
    const sessions = finding.result?.connections.opened ?? 0;
    return {
      ...finding,
      threshold,
      atLeast: threshold && heldAtLeast(judged, threshold),
      isBeyondTried: threshold !== null && isBeyondTried(judged, threshold),
      posterior,
      trials,
      near: passed.filter(({ load }) => load >= nearShare * (threshold?.capacity.middle ?? 0)),
      rssBytesPerSession: grownBytes === null || sessions === 0 ? null : grownBytes / sessions,
    };
  });
}

/** A trial of a search for the capacity. */
export function isOfSearch({ purpose }: TrialRecord): boolean {
  return purpose === 'search';
}

/** Of a search or of given loads: warm-ups and curves have timings and workloads of their own. */
export function isOfQuestion({ purpose }: TrialRecord): boolean {
  return purpose === 'search' || purpose === 'fixed';
}

/** The trials that say something about the server. */
export function judgedOf(trials: readonly TrialRecord[]): Judged[] {
  return trials
    .filter(({ outcome }) => outcome === 'pass' || outcome === 'fail')
    .map(({ load, outcome, serverStart = 1 }) => ({ load, passed: outcome === 'pass', serverStart }));
}

/** One for each variant and load, in the order they ran. */
export function fixedFindings(run: LoadRun): FixedFinding[] {
  return run.record.variants.flatMap((variant) => {
    const ofVariant = run.trials.filter((trial) => trial.variant === variant.name);
    return [...Map.groupBy(ofVariant, ({ load }) => load)].map(([load, trials]) => {
      const judged = trials.filter(({ loadtest, outcome }) => loadtest !== null && outcome !== 'void');
      const finding = findingOf(variant, typicalOf(judged) ?? trials[0]!);
      return { ...finding, load, trials, rssGrownBytes: grownBytesOf(finding) };
    });
  });
}

function findingOf(variant: VariantRecord, typical: TrialRecord | null): Finding {
  return { variant, typical, result: typical?.loadtest ?? null, server: typical?.server ?? null };
}

function grownBytesOf({ server }: Finding): number | null {
  return server === null ? null : server.rssMaxBytes - server.rssIdleBytes;
}

function typicalOf(trials: readonly TrialRecord[]): TrialRecord | null {
  const p99 = (trial: TrialRecord) => trial.loadtest!.deliveryLatencyMs.p99;
  const median = medianOf(trials.map(p99));
  return trials.find((trial) => p99(trial) === median) ?? null;
}

/** A trial that stands for a variant in the plots. */
export type ShownTrial = { variant: string; trial: TrialRecord };

/** The typical trial of each variant: near its capacity, or at the highest fixed load. */
export function shownTrials(run: LoadRun): ShownTrial[] {
  const findings =
    run.record.method.kind === 'capacity'
      ? capacityFindings(run)
      : fixedFindings(run).toSorted((a, b) => a.load - b.load);
  const typical = new Map(findings.map((finding) => [finding.variant.name, finding.typical]));
  return run.record.variants.flatMap(({ name: variant }) => {
    const trial = typical.get(variant);
    return trial ? [{ variant, trial }] : [];
  });
}

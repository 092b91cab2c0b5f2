/** The figures of a run: the one place where results become the numbers that reports print. Pure. */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { LoadRun, TrialRecord, VariantRecord } from '../records/schema.ts';
import { type Interval, medianOf, tInterval } from './statistics.ts';

type Finding = {
  variant: VariantRecord;
  /** The trial with the median p99; its figures stand for the variant. */
  typical: TrialRecord | null;
  /** Of the typical trial. */
  result: LoadtestResult | null;
  server: TrialRecord['server'];
};

/** The answer for one variant of a capacity search. */
export type CapacityFinding = Finding & {
  /** In the unit of the varied quantity; null where none was confirmed. */
  capacity: number | null;
  zone: Zone | null;
  /** Trials that passed at the capacity. */
  confirmed: readonly TrialRecord[];
  deliveriesPerSecond: Interval | null;
  /** Memory that each session added to the idle server. */
  rssBytesPerSession: number | null;
};

/** The answer for one variant at one fixed load. */
export type FixedFinding = Finding & {
  load: number;
  trials: readonly TrialRecord[];
  rssGrownBytes: number | null;
};

/** Loads between which the edge lies. */
type Zone = { low: number; high: number };

/** One for each variant, in the order they ran. */
export function capacityFindings(run: LoadRun): CapacityFinding[] {
  return run.record.variants.map((variant) => {
    const trials = run.trials.filter((trial) => trial.variant === variant.name);
    const capacity = variant.answer?.capacity ?? null;
    const confirmed = trials.filter(({ load, outcome }) => load === capacity && outcome === 'pass');
    const finding = findingOf(variant, typicalOf(confirmed));
    const grownBytes = grownBytesOf(finding);
    const sessions = finding.result?.connections.opened ?? 0;
    return {
      ...finding,
      capacity,
      zone: edgeZone(capacity, trials),
      confirmed,
      deliveriesPerSecond: tInterval(confirmed.map(({ loadtest }) => loadtest!.deliveriesPerSecond)),
      rssBytesPerSession: grownBytes === null || sessions === 0 ? null : grownBytes / sessions,
    };
  });
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

/**
 * From the lowest load that failed, or the capacity where that is lower, to the lowest failure above the
 * capacity, or the highest pass where that is higher. Without noise this is the last bracket of the search.
 * Null where nothing passed, or nothing failed above.
 */
export function edgeZone(capacity: number | null, trials: readonly TrialRecord[]): Zone | null {
  if (capacity === null) return null;
  const loadsOf = (wanted: string) =>
    trials.filter(({ outcome }) => outcome === wanted).map(({ load }) => load);
  const failed = loadsOf('fail');
  const above = failed.filter((load) => load > capacity);
  if (above.length === 0) return null;
  return { low: Math.min(capacity, ...failed), high: Math.max(Math.min(...above), ...loadsOf('pass')) };
}

function typicalOf(trials: readonly TrialRecord[]): TrialRecord | null {
  const p99 = (trial: TrialRecord) => trial.loadtest!.deliveryLatencyMs.p99;
  const median = medianOf(trials.map(p99));
  return trials.find((trial) => p99(trial) === median) ?? null;
}

/** A trial that stands for a variant in the plots. */
export type ShownTrial = { variant: string; trial: TrialRecord };

/** The typical trial of each variant: at its capacity, or at the highest fixed load. */
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

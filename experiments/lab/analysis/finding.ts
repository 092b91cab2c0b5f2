/** The figures of a run: the one place where results become the numbers that reports print. Pure. */
import type { LoadRun, TrialRecord, VariantRecord } from '../records/schema.ts';
import { type Interval, medianOf, tInterval } from './statistics.ts';

/** The answer for one variant of a capacity search. */
export type CapacityFinding = {
  variant: VariantRecord;
  /** In the unit of the varied quantity; null where none was confirmed. */
  capacity: number | null;
  /** Loads between which the edge lies; see `edgeZone`. Null where nothing passed or nothing failed. */
  zone: { low: number; high: number } | null;
  /** Trials that passed at the capacity. */
  confirmed: readonly TrialRecord[];
  /** The trial with the median p99 of these; its figures stand for the variant. */
  typical: TrialRecord | null;
  deliveriesPerSecond: Interval | null;
  rssBytesPerSession: number | null;
};

/** The answer for one variant at one fixed load. */
export type FixedFinding = {
  variant: VariantRecord;
  load: number;
  trials: readonly TrialRecord[];
  typical: TrialRecord | null;
  latencyMsP99: Interval | null;
  rssGrownBytes: number | null;
};

/** One for each variant, in the order they ran. */
export function capacityFindings(run: LoadRun): CapacityFinding[] {
  return run.record.variants.map((variant) => {
    const trials = run.trials.filter((trial) => trial.variant === variant.name);
    const capacity = variant.answer?.capacity ?? null;
    const confirmed = trials.filter(({ load, outcome }) => load === capacity && outcome === 'pass');
    const typical = typicalOf(confirmed);
    return {
      variant,
      capacity,
      zone: edgeZone(capacity, trials),
      confirmed,
      typical,
      deliveriesPerSecond: tInterval(confirmed.map((trial) => trial.loadtest!.deliveriesPerSecond)),
      rssBytesPerSession: typical === null ? null : rssBytesPerSession(typical),
    };
  });
}

/** One for each variant and load, in the order they ran. */
export function fixedFindings(run: LoadRun): FixedFinding[] {
  return run.record.variants.flatMap((variant) => {
    const ofVariant = run.trials.filter((trial) => trial.variant === variant.name);
    const loads = [...new Set(ofVariant.map((trial) => trial.load))];
    return loads.map((load) => {
      const trials = ofVariant.filter((trial) => trial.load === load);
      const judged = trials.filter(({ loadtest, outcome }) => loadtest !== null && outcome !== 'void');
      const typical = typicalOf(judged) ?? trials[0] ?? null;
      const server = typical?.server ?? null;
      return {
        variant,
        load,
        trials,
        typical,
        latencyMsP99: tInterval(judged.map((trial) => trial.loadtest!.deliveryLatencyMs.p99)),
        rssGrownBytes: server === null ? null : server.rssMaxBytes - server.rssIdleBytes,
      };
    });
  });
}

/**
 * The zone in which the edge lies. It begins at the lowest load that failed or at the capacity, whichever is
 * lower. It ends at the highest load that passed or at the lowest failure above the capacity, whichever is
 * higher. Without noise it is the last bracket of the search; a load that both passed and failed widens it.
 */
export function edgeZone(
  capacity: number | null,
  trials: readonly TrialRecord[],
): { low: number; high: number } | null {
  if (capacity === null) return null;
  const failed = trials.filter(({ outcome }) => outcome === 'fail').map(({ load }) => load);
  const passed = trials.filter(({ outcome }) => outcome === 'pass').map(({ load }) => load);
  const above = failed.filter((load) => load > capacity);
  if (above.length === 0) return null;
  return { low: Math.min(capacity, ...failed), high: Math.max(Math.min(...above), ...passed) };
}

function typicalOf(trials: readonly TrialRecord[]): TrialRecord | null {
  if (trials.length === 0) return null;
  const p99 = (trial: TrialRecord) => trial.loadtest!.deliveryLatencyMs.p99;
  const median = medianOf(trials.map(p99));
  return trials.find((trial) => p99(trial) === median)!;
}

/** Memory that each session added to the idle server; null where memory was not observed. */
function rssBytesPerSession(trial: TrialRecord): number | null {
  if (trial.server === null || trial.loadtest === null) return null;
  const sessions = trial.loadtest.connections.opened;
  return sessions === 0 ? null : (trial.server.rssMaxBytes - trial.server.rssIdleBytes) / sessions;
}

/** A trial that stands for a variant in the plots. */
export type ShownTrial = { variant: string; trial: TrialRecord };

/** The typical trial of each variant: at its capacity, or at the highest fixed load. */
export function shownTrials(run: LoadRun): ShownTrial[] {
  const typicalOfVariant = (name: string): TrialRecord | null => {
    if (run.record.method.kind === 'capacity') {
      return capacityFindings(run).find(({ variant }) => variant.name === name)?.typical ?? null;
    }
    const findings = fixedFindings(run).filter(({ variant }) => variant.name === name);
    return findings.toSorted((a, b) => b.load - a.load)[0]?.typical ?? null;
  };
  return run.record.variants.flatMap(({ name }) => {
    const trial = typicalOfVariant(name);
    return trial === null ? [] : [{ variant: name, trial }];
  });
}

/** Trials at shares of the capacity: latency against load, and recovery from a freeze. Pure. */
import { outstandingMs } from '../../../loadtest/record/histogram.ts';
import { medianOf } from '../analysis/statistics.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatMs, formatShare } from './format.ts';
import { left, type NamedTable, right, tableOf } from './table.ts';

/** Null for a percentile that was outstanding when the drain ended. */
export type CurvePoint = { share: number; load: number; p50: number | null; p99: number | null };
export type Curve = {
  variant: string;
  stage: string;
  arrival: 'constant' | 'poisson';
  /** By share; medians where a share was tried several times. */
  points: CurvePoint[];
};

const arrivals = ['constant', 'poisson'] as const;

/** A curve for each variant and kind of arrival that has trials for it. Void trials are left out. */
export function curvesOf({ record, trials }: LoadRun): Curve[] {
  const judged = trials.filter(
    ({ purpose, outcome }) => purpose === 'curve' && (outcome === 'pass' || outcome === 'fail'),
  );
  return record.variants.flatMap(({ name, stage }) =>
    arrivals.flatMap((arrival) => {
      const own = judged.filter(
        ({ variant, loadtest }) => variant === name && loadtest?.workload.arrival === arrival,
      );
      return own.length === 0 ? [] : [{ variant: name, stage, arrival, points: pointsOf(own) }];
    }),
  );
}

/** How long each variant needed until its latency was as before the freeze; null where none was frozen. */
export function freezeTable({ record, trials }: LoadRun): NamedTable | null {
  const frozen = trials.filter(({ purpose, freeze }) => purpose === 'freeze' && freeze !== undefined);
  if (frozen.length === 0) return null;
  const shares = [...new Set(frozen.map(({ share = 0 }) => share))].sort((a, b) => a - b);
  const names = record.variants.map(({ name }) => name);
  const table = tableOf(
    names.filter((name) => frozen.some(({ variant }) => variant === name)),
    [
      left('variant', (name) => name),
      ...shares.map((share) =>
        right<string>(`at ${formatShare(share)} of capacity`, (name) =>
          frozen
            .filter((trial) => trial.variant === name && (trial.share ?? 0) === share)
            .map(recoveryText)
            .join(', '),
        ),
      ),
    ],
  );
  return { title: `Recovery from a freeze of ${formatMs(1000 * frozen[0]!.freeze!.seconds)}`, table };
}

function recoveryText({ freeze, outcome }: TrialRecord): string {
  if (outcome !== 'pass' && outcome !== 'fail') return 'void';
  const seconds = freeze!.recoveredSeconds;
  return seconds === null ? 'never' : formatMs(1000 * seconds);
}

function pointsOf(trials: readonly TrialRecord[]): CurvePoint[] {
  const byShare = Map.groupBy(trials, ({ share = 0 }) => share);
  return [...byShare]
    .sort(([one], [other]) => one - other)
    .map(([share, repeated]) => ({
      share,
      load: medianOf(repeated.map(({ load }) => load)),
      p50: latencyOf(repeated.map(({ loadtest }) => loadtest!.deliveryLatencyMs.p50)),
      p99: latencyOf(repeated.map(({ loadtest }) => loadtest!.deliveryLatencyMs.p99)),
    }));
}

function latencyOf(values: readonly number[]): number | null {
  const median = medianOf(values);
  return median >= outstandingMs ? null : median;
}

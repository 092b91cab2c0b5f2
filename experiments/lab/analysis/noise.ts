/** What runs of the same code differ by (A/A), and the margins of comparisons that follow from it. Pure. */
import type { NoiseFigure } from '../records/noise-file.ts';
import type { LoadRunRecord, Run, RunRecord } from '../records/schema.ts';
import type { Comparison } from './compare.ts';
import { meanOf } from './statistics.ts';
import { studentQuantile } from './student.ts';

/** Where no A/A figure was measured. Chosen: about what runs on a quiet machine differ by. */
export const defaultMargin = 0.05;
/** Chosen: a few A/A runs can agree by chance, and never show that there is no difference. */
const marginMin = 0.02;
/** Outside of 90 %, on each side, and the quantile of the normal distribution for it. */
const tail = 0.05;
const normalQuantile = 1.645;

/** A figure for each row of the comparisons of any two runs; none where a run has only a bound. */
export function noiseOf(runs: readonly Run[], compare: (a: Run, b: Run) => Comparison[]): NoiseFigure[] {
  const first = runs[0];
  if (first === undefined) return [];
  const pairs = runs.flatMap((a, index) => runs.slice(index + 1).map((b) => compare(a, b)));
  const rows = Map.groupBy(pairs.flat(), ({ variant, metric }) => JSON.stringify([variant, metric]));
  return [...rows.values()].flatMap((ofRow) => {
    const known = ofRow.filter(
      ({ a, b, atLeast = [] }) => isPositive(a) && isPositive(b) && atLeast.length === 0,
    );
    if (known.length < pairs.length) return [];
    const { variant, metric } = known[0]!;
    const figures = known.flatMap(({ a, b }) => [a!, b!]);
    // The mean over all pairs is twice the variance of one run.
    const square = meanOf(known.map(({ a, b }) => Math.log(b! / a!) ** 2));
    const explained = meanOf(known.map(ownSquare));
    const margin = Math.exp(normalQuantile * Math.sqrt(Math.max(0, square - explained))) - 1;
    return {
      conditions: conditionsOf(first.record, variant),
      experiment: first.record.experiment,
      variant,
      metric,
      runs: runs.length,
      spread: Math.max(...figures) / Math.min(...figures),
      resolvable: Math.exp(studentQuantile(tail, runs.length - 1) * Math.sqrt(square)),
      margin: Math.max(marginMin, margin),
      measuredAt: first.record.startedAt,
    };
  });
}

/** The square of the ratio's own error, in logarithms; 0 where it has no interval. */
function ownSquare({ ratio }: Comparison): number {
  return ratio === null ? 0 : (Math.log(ratio.high / ratio.low) / (2 * normalQuantile)) ** 2;
}

function isPositive(value: number | null): boolean {
  return value !== null && value > 0;
}

/** A margin for each row, and where they come from. */
export type Margins = { marginOf: (row: Comparison) => number; notes: string[] };

/**
 * Of the same row if it was measured under the conditions of both runs; else the largest of the same metric
 * under these conditions; else the default.
 */
export function marginsFor(
  a: Run,
  b: Run,
  rows: readonly Comparison[],
  known: readonly NoiseFigure[],
): Margins {
  const found = new Map(rows.map((row) => [row, figureFor(row, a, b, known)]));
  const used = [...new Set([...found.values()].filter((figure) => figure !== null))];
  const isJudged = ({ ratio, atLeast = [] }: Comparison) => ratio !== null || atLeast.length === 1;
  const missing = rows.some((row) => isJudged(row) && found.get(row) === null);
  return {
    marginOf: (row) => found.get(row)?.margin ?? defaultMargin,
    notes: [
      ...used.map(
        ({ experiment, variant, metric, margin, runs, measuredAt }) =>
          `Margin from A/A: ${percent(margin)} (${metric} of ${variant} in ${experiment}, ${runs} runs of ${measuredAt.slice(0, 10)}).`,
      ),
      ...(missing
        ? [
            `No A/A figure of these conditions was found${used.length === 0 ? '' : ' for other rows'}: the margin is ${percent(defaultMargin)}, which is chosen. Measure it: npm run experiment -- noise ${a.record.experiment}.`,
          ]
        : []),
    ],
  };
}

function figureFor(row: Comparison, a: Run, b: Run, known: readonly NoiseFigure[]): NoiseFigure | null {
  const conditions = conditionsOf(a.record, row.variant);
  if (conditionsOf(b.record, row.variant) !== conditions) return null;
  const alike = known.filter((one) => one.conditions === conditions && one.metric === row.metric);
  const { experiment } = a.record;
  const exact = alike.find((one) => one.experiment === experiment && one.variant === row.variant);
  return exact ?? alike.toSorted((one, other) => other.margin - one.margin)[0] ?? null;
}

/** Machine, target, box, timing and workload. A row names its variant, or begins with its name. */
function conditionsOf(record: RunRecord, row: string): string {
  const { environment, target, simulator, variants } = record;
  const { timing, workload = {} } = record as Partial<LoadRunRecord>;
  const [system, , architecture] = environment.platform.split(' ');
  const own = variants.filter(({ name }) => row === name || row.startsWith(`${name}, `));
  const limits = Object.entries((own[0] ?? variants[0])?.targetLimits ?? {}).sort();
  const box = limits.map(([limit, value]) => `${limit} ${value}`).join(' ') || 'no limits';
  const seconds = timing && `${timing.warmUpSeconds} s warm-up, ${timing.measureSeconds} s measured`;
  return [
    `${environment.cpuModel}, ${environment.cpus} cores, ${system} ${architecture}`,
    `${target}, simulator ${simulator ?? 'none'}`,
    box,
    ...(seconds ? [seconds] : []),
    Object.entries(workload)
      .map(([name, value]) => `${name} ${value}`)
      .join(' '),
  ].join('; ');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

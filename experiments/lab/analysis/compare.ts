/** Two runs of one experiment side by side: better, worse, or noise. Pure. */
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { deliveriesPerCpuSecond } from './cpu.ts';
import { type CapacityFinding, capacityFindings, fixedFindings } from './finding.ts';
import { meanOf, welchInterval } from './statistics.ts';

/** How a figure is written. */
export type Unit = 'ms' | 'magnitude' | 'number';

export type Comparison = {
  variant: string;
  metric: string;
  unit: Unit;
  /** Null where the run has no such figure. */
  a: number | null;
  b: number | null;
  /** b ÷ a with the bounds that decide; null where there is nothing to divide. */
  ratio: { middle: number; low: number; high: number } | null;
  verdict: 'better' | 'worse' | 'noise' | 'unknown';
  /** Whether `worse` here makes the comparison fail; other rows only explain. */
  decides: boolean;
};

/** How the verdicts are found, for the reader. */
export const comparisonMethod = [
  'Capacity: the ratio is bounded by the zones of the edge in both runs. Runs whose zones touch are noise.',
  'Other figures: Welch’s 95 % interval of the mean difference of logarithms. Logarithms, because latency and memory vary in proportion. Welch, because with three values a side a rank test cannot reach 5 % (the smallest p of Mann–Whitney is 0.1).',
];

/** Two rows for each variant that both runs have: its capacity, and the cost of its deliveries. */
export function compareCapacities(a: LoadRun, b: LoadRun): Comparison[] {
  const others = new Map(capacityFindings(b).map((finding) => [finding.variant.name, finding]));
  return capacityFindings(a).flatMap((findingA) => {
    const findingB = others.get(findingA.variant.name);
    if (findingB === undefined) return [];
    const variant = findingA.variant.name;
    const efficiency = compareSpread(
      { variant, metric: 'deliveries per server CPU second', unit: 'magnitude' },
      'higher',
      findingA.confirmed.map(deliveriesPerCpuSecond),
      findingB.confirmed.map(deliveriesPerCpuSecond),
    );
    return [edges(a.record.varied.unit, findingA, findingB), { ...efficiency, decides: false }];
  });
}

/** Two rows for each variant and fixed load that both runs have: latency and memory. */
export function compareFixedLoads(a: LoadRun, b: LoadRun): Comparison[] {
  const findingsB = fixedFindings(b);
  return fixedFindings(a).flatMap((findingA) => {
    const findingB = findingsB.find(
      ({ variant, load }) => variant.name === findingA.variant.name && load === findingA.load,
    );
    if (findingB === undefined) return [];
    const variant = `${findingA.variant.name}, ${findingA.load} ${a.record.varied.unit}`;
    const rowOf = (metric: string, unit: Unit, figureOf: (trial: TrialRecord) => number | null) =>
      compareSpread(
        { variant, metric, unit },
        'lower',
        findingA.trials.map(figureOf),
        findingB.trials.map(figureOf),
      );
    return [
      rowOf('p99 delivery latency', 'ms', ({ loadtest }) => loadtest?.deliveryLatencyMs.p99 ?? null),
      rowOf('memory of the server', 'magnitude', ({ server }) => server?.rssMaxBytes ?? null),
    ];
  });
}

function edges(unit: string, a: CapacityFinding, b: CapacityFinding): Comparison {
  const label = { variant: a.variant.name, metric: unit, unit: 'number' as const };
  const row = { ...label, a: a.capacity, b: b.capacity, decides: true };
  if (a.capacity === null || b.capacity === null) {
    const verdict = a.capacity === b.capacity ? 'unknown' : a.capacity === null ? 'better' : 'worse';
    return { ...row, ratio: null, verdict };
  }
  const [zoneA, zoneB] = [openZone(a), openZone(b)];
  const ratio = {
    middle: b.capacity / a.capacity,
    low: zoneB.low / zoneA.high,
    high: zoneB.high / zoneA.low,
  };
  return { ...row, ratio, verdict: verdictOf(ratio, 'higher') };
}

/** Where no load failed above the capacity, the edge may be anywhere above it. */
function openZone({ capacity, zone }: CapacityFinding): { low: number; high: number } {
  return zone ?? { low: capacity!, high: Number.POSITIVE_INFINITY };
}

/** One figure over the trials of both runs; nulls are left out. The row decides. */
export function compareSpread(
  label: Pick<Comparison, 'variant' | 'metric' | 'unit'>,
  good: 'higher' | 'lower',
  a: readonly (number | null)[],
  b: readonly (number | null)[],
): Comparison {
  const [logsA, logsB] = [logarithms(a), logarithms(b)];
  const row = { ...label, a: geometricMean(logsA), b: geometricMean(logsB), decides: true };
  const interval = welchInterval(logsA, logsB);
  if (interval === null) return { ...row, ratio: null, verdict: 'unknown' };
  const { mean, low, high } = interval;
  const ratio = { middle: Math.exp(mean), low: Math.exp(low), high: Math.exp(high) };
  return { ...row, ratio, verdict: verdictOf(ratio, good) };
}

function verdictOf(
  { low, high }: { low: number; high: number },
  good: 'higher' | 'lower',
): Comparison['verdict'] {
  if (low > 1) return good === 'higher' ? 'better' : 'worse';
  if (high < 1) return good === 'higher' ? 'worse' : 'better';
  return 'noise';
}

function logarithms(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null && value > 0).map((value) => Math.log(value!));
}

function geometricMean(logs: readonly number[]): number | null {
  return logs.length === 0 ? null : Math.exp(meanOf(logs));
}

/** Two runs of one experiment side by side: better, worse, or noise. Pure. */
import type { LoadRun } from '../records/schema.ts';
import { deliveriesPerCpuSecond } from './cpu.ts';
import { type CapacityFinding, capacityFindings, fixedFindings } from './finding.ts';
import { meanOf, welchInterval } from './statistics.ts';
import { ratioOf } from './threshold.ts';

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
  'Capacity: the ratio has a 90 % interval, from the posteriors of both runs. Where the interval holds 1, the difference is noise.',
  'Other figures: Welch’s 95 % interval of the mean difference of logarithms. Logarithms, because latency and memory vary in proportion. Welch, because with three values a side a rank test cannot reach 5 % (the smallest p of Mann–Whitney is 0.1).',
];

/** Two rows for each variant that both runs have: its capacity, and the cost of its deliveries. */
export function compareCapacities(runA: LoadRun, runB: LoadRun): Comparison[] {
  const findingsB = capacityFindings(runB);
  const label = { metric: 'deliveries per server CPU second', unit: 'magnitude' } as const;
  return capacityFindings(runA).flatMap((a) => {
    const variant = a.variant.name;
    const b = findingsB.find((finding) => finding.variant.name === variant);
    if (b === undefined) return [];
    const cost = compareSpread({ variant, ...label }, 'higher', a.near, b.near, deliveriesPerCpuSecond);
    return [compareThresholds(runA.record.varied.unit, a, b), { ...cost, decides: false }];
  });
}

/** Two rows for each variant and fixed load that both runs have: latency and memory. */
export function compareFixedLoads(runA: LoadRun, runB: LoadRun): Comparison[] {
  const findingsB = fixedFindings(runB);
  return fixedFindings(runA).flatMap((a) => {
    const b = findingsB.find(({ variant, load }) => variant.name === a.variant.name && load === a.load);
    if (b === undefined) return [];
    const variant = `${a.variant.name}, ${a.load} ${runA.record.varied.unit}`;
    const latency = { variant, metric: 'p99 delivery latency', unit: 'ms' } as const;
    const memory = { variant, metric: 'memory of the server', unit: 'magnitude' } as const;
    return [
      compareSpread(latency, 'lower', a.trials, b.trials, ({ loadtest }) => loadtest?.deliveryLatencyMs.p99),
      compareSpread(memory, 'lower', a.trials, b.trials, ({ server }) => server?.rssMaxBytes),
    ];
  });
}

function compareThresholds(unit: string, a: CapacityFinding, b: CapacityFinding): Comparison {
  const [middleA, middleB] = [a, b].map(({ threshold }) => threshold?.capacity.middle ?? null);
  const label = { variant: a.variant.name, metric: unit, unit: 'number' as const };
  const row = { ...label, a: middleA!, b: middleB!, decides: true };
  if (a.threshold === null || b.threshold === null) {
    const verdict = a.threshold === b.threshold ? 'unknown' : a.threshold === null ? 'better' : 'worse';
    return { ...row, ratio: null, verdict };
  }
  const ratio = ratioOf(a.posterior, b.posterior);
  return { ...row, ratio, verdict: verdictOf(ratio, 'higher') };
}

/** One figure over the trials of both runs; trials without it are left out. The row decides. */
export function compareSpread<Trial>(
  label: Pick<Comparison, 'variant' | 'metric' | 'unit'>,
  good: 'higher' | 'lower',
  trialsA: readonly Trial[],
  trialsB: readonly Trial[],
  figureOf: (trial: Trial) => number | null | undefined,
): Comparison {
  const [logsA, logsB] = [logarithms(trialsA.map(figureOf)), logarithms(trialsB.map(figureOf))];
  const row = { ...label, a: geometricMean(logsA), b: geometricMean(logsB), decides: true };
  const interval = welchInterval(logsA, logsB);
  if (interval === null) return { ...row, ratio: null, verdict: 'unknown' };
  const { mean, low, high } = interval;
  const ratio = { middle: Math.exp(mean), low: Math.exp(low), high: Math.exp(high) };
  return { ...row, ratio, verdict: verdictOf(ratio, good) };
}

function verdictOf({ low, high }: { low: number; high: number }, good: string): Comparison['verdict'] {
  if (low > 1) return good === 'higher' ? 'better' : 'worse';
  if (high < 1) return good === 'higher' ? 'worse' : 'better';
  return 'noise';
}

function logarithms(values: readonly (number | null | undefined)[]): number[] {
  return values.flatMap((value) => (value != null && value > 0 ? Math.log(value) : []));
}

function geometricMean(logs: readonly number[]): number | null {
  return logs.length === 0 ? null : Math.exp(meanOf(logs));
}

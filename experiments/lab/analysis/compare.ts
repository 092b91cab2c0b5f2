/** Two runs of one experiment side by side: better, worse, or no more than noise. Pure. */

import type { Run, TrialRecord } from '../records/schema.ts';
import { formatMagnitude, formatMs, formatNumber } from '../report/format.ts';
import { type CapacityFinding, capacityFindings, fixedFindings } from './finding.ts';
import { meanOf, welchInterval } from './statistics.ts';

export type Comparison = {
  variant: string;
  metric: string;
  a: string;
  b: string;
  /** b ÷ a with the bounds that decide; null where there is nothing to divide. */
  ratio: { middle: number; low: number; high: number } | null;
  verdict: 'better' | 'worse' | 'noise' | 'unknown';
  /** Whether a `worse` here makes the comparison fail; the others explain it. */
  decides: boolean;
};

/** How the verdicts come about, for the reader. */
export const comparisonMethod = [
  'Capacity: the ratio is bounded by the zones in which each run saw the edge, so runs whose zones touch are noise.',
  'Everything else: Welch’s 95 % interval of the mean difference of logarithms. Logarithms, because latency and memory vary in proportion; Welch, because with three values a side a rank test cannot reach 5 % whatever they are (Mann–Whitney’s smallest p is 0.1).',
];

/** A row for each variant (and fixed load) that both runs have. */
export function compareRuns(a: Run, b: Run): Comparison[] {
  return a.record.method.kind === 'capacity' ? compareCapacities(a, b) : compareFixed(a, b);
}

function compareCapacities(a: Run, b: Run): Comparison[] {
  const others = new Map(capacityFindings(b).map((finding) => [finding.variant.name, finding]));
  return capacityFindings(a).flatMap((findingA) => {
    const findingB = others.get(findingA.variant.name);
    if (findingB === undefined) return [];
    const variant = findingA.variant.name;
    const efficiency = spread(variant, 'deliveries per server CPU second', 'higher', formatMagnitude, [
      findingA.confirmed.map(deliveriesPerCpuSecond),
      findingB.confirmed.map(deliveriesPerCpuSecond),
    ]);
    return [edges(a.record.varied.unit, findingA, findingB), { ...efficiency, decides: false }];
  });
}

function compareFixed(a: Run, b: Run): Comparison[] {
  const findingsB = fixedFindings(b);
  return fixedFindings(a).flatMap((findingA) => {
    const findingB = findingsB.find(
      ({ variant, load }) => variant.name === findingA.variant.name && load === findingA.load,
    );
    if (findingB === undefined) return [];
    const name = `${findingA.variant.name}, ${formatNumber(findingA.load)} ${a.record.varied.unit}`;
    const both = (figureOf: (trial: TrialRecord) => number | null) =>
      [findingA, findingB].map(({ trials }) => trials.map(figureOf).filter((value) => value !== null));
    return [
      spread(
        name,
        'p99 delivery latency',
        'lower',
        formatMs,
        both((trial) => trial.loadtest?.deliveryLatencyMs.p99 ?? null),
      ),
      spread(
        name,
        'memory of the server',
        'lower',
        formatMagnitude,
        both((trial) => trial.server?.rssMaxBytes ?? null),
      ),
    ];
  });
}

function edges(unit: string, a: CapacityFinding, b: CapacityFinding): Comparison {
  const row = { variant: a.variant.name, metric: unit, a: capacityOf(a), b: capacityOf(b), decides: true };
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

function spread(
  variant: string,
  metric: string,
  good: 'higher' | 'lower',
  format: (value: number) => string,
  [valuesA = [], valuesB = []]: number[][],
): Comparison {
  const show = (values: number[]) => (values.length === 0 ? '–' : format(geometricMean(values)));
  const row = { variant, metric, a: show(valuesA), b: show(valuesB), decides: true };
  const interval = welchInterval(valuesA.map(Math.log), valuesB.map(Math.log));
  if (interval === null) return { ...row, ratio: null, verdict: 'unknown' };
  const ratio = {
    middle: Math.exp(interval.mean),
    low: Math.exp(interval.low),
    high: Math.exp(interval.high),
  };
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

function deliveriesPerCpuSecond({ loadtest, server }: TrialRecord): number {
  return loadtest!.deliveriesPerSecond / (server?.cpuCores ?? Number.NaN);
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(meanOf(values.map(Math.log)));
}

function capacityOf({ capacity }: CapacityFinding): string {
  return capacity === null ? 'none' : formatNumber(capacity);
}

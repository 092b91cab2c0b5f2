/** The rows of a comparison of two runs of one experiment, before they are judged (judge.ts). Pure. */
import type { CapacityMethod, LoadEstimate, LoadRun } from '../records/schema.ts';
import { deliveriesPerCpuSecond } from './cpu.ts';
import { type CapacityFinding, capacityFindings, fixedFindings, judgedOf } from './finding.ts';
import { type Difference, meanOf, welchDifference } from './statistics.ts';
import { studentQuantile, studentTail } from './student.ts';
import { type Posterior, posteriorOf, probabilityBelow, ratioOf, triedRange } from './threshold.ts';

/** How a figure is written. */
export type Unit = 'ms' | 'magnitude' | 'number';

export type Verdict = 'better' | 'worse' | 'noise' | 'unknown';

/**
 * The probabilities that b is not worse, and not better, than a by more than a margin (0.05 is 5 %). 1 for a
 * claim that these trials cannot support.
 */
export type Doubts = (margin: number) => { worse: number; better: number };

export type Comparison = {
  variant: string;
  metric: string;
  unit: Unit;
  /** Null where the run has no such figure. */
  a: number | null;
  b: number | null;
  /** Sides whose figure is only a lower bound, because no trial failed. */
  atLeast?: readonly ('a' | 'b')[];
  /** b ÷ a with its 90 % interval; null where there is nothing to divide, or no interval. */
  ratio: LoadEstimate | null;
  /** Null where the row cannot be judged. */
  doubts: Doubts | null;
  /** Why there is no verdict, where there is none. */
  why?: string;
  /** No trial of a side could be judged, so that the row is void. */
  isVoid?: true;
  /** Whether `worse` here makes the comparison fail; other rows only explain. */
  decides: boolean;
};

type Label = Pick<Comparison, 'variant' | 'metric' | 'unit'>;

/** Outside of the interval of a ratio, on each side. */
const tail = 0.05;
const oneSample = 'one sample, no verdict';
const noTrial = 'no trial of one side could be judged';

/** Two rows for each variant that both runs have: its capacity, and the cost of its deliveries. */
export function compareCapacities(runA: LoadRun, runB: LoadRun): Comparison[] {
  const findingsB = capacityFindings(runB);
  const label = { metric: 'deliveries per CPU s', unit: 'magnitude' } as const;
  return capacityFindings(runA).flatMap((a) => {
    const variant = a.variant.name;
    const b = findingsB.find((finding) => finding.variant.name === variant);
    if (b === undefined) return [];
    const cost = compareSpread({ variant, ...label }, 'higher', a.near, b.near, deliveriesPerCpuSecond);
    return [compareThresholds(sideOf(runA, a), sideOf(runB, b)), { ...cost, decides: false }];
  });
}

/** Three rows for each variant and load that both runs have: failed trials, latency and memory. */
export function compareFixedLoads(runA: LoadRun, runB: LoadRun): Comparison[] {
  const findingsB = fixedFindings(runB);
  return fixedFindings(runA).flatMap((a) => {
    const b = findingsB.find(({ variant, load }) => variant.name === a.variant.name && load === a.load);
    if (b === undefined) return [];
    const variant = `${a.variant.name}, ${a.load} ${runA.record.varied.unit}`;
    const latency = { variant, metric: 'p99 latency', unit: 'ms' } as const;
    const memory = { variant, metric: 'memory', unit: 'magnitude' } as const;
    const [trialsA, trialsB] = [a.trials.filter(isJudged), b.trials.filter(isJudged)];
    return [
      compareFailures(variant, trialsA, trialsB),
      compareSpread(latency, 'lower', trialsA, trialsB, ({ loadtest }) => loadtest?.deliveryLatencyMs.p99),
      compareSpread(memory, 'lower', trialsA, trialsB, ({ server }) => server?.rssMaxBytes),
    ];
  });
}

function isJudged({ outcome }: { outcome: string }): boolean {
  return outcome === 'pass' || outcome === 'fail';
}

/** The capacity of one run, and on which sides its trials leave it open. */
type Side = CapacityFinding & {
  unit: string;
  judged: number;
  /** No trial failed, so that only a lower bound is known. */
  isOpenAbove: boolean;
  /** No trial passed, so that only an upper bound is known. */
  isOpenBelow: boolean;
};

/**
 * An open side is cut off at the outermost load that was tried: the posterior beyond it would only repeat
 * the range of the search, and the cut is the cautious choice for the one claim that such a side allows.
 */
function sideOf({ record }: LoadRun, finding: CapacityFinding): Side {
  const judged = judgedOf(finding.trials);
  const isOpenAbove = judged.every(({ passed }) => passed);
  const isOpenBelow = judged.every(({ passed }) => !passed);
  const loads = judged.map(({ load }) => load);
  const tried = triedRange(judged, record.method as CapacityMethod);
  const range = {
    loadMin: isOpenBelow && judged.length > 0 ? Math.min(...loads) : tried.loadMin,
    loadMax: isOpenAbove && judged.length > 0 ? Math.max(...loads) : tried.loadMax,
  };
  const posterior = posteriorOf(judged, range);
  const { unit } = record.varied;
  return { ...finding, posterior, unit, judged: judged.length, isOpenAbove, isOpenBelow };
}

function compareThresholds(a: Side, b: Side): Comparison {
  const figure = ({ threshold, atLeast }: Side) => atLeast ?? threshold?.capacity.middle ?? null;
  const label = { variant: a.variant.name, metric: a.unit, unit: 'number' as const };
  const row = { ...label, a: figure(a), b: figure(b), decides: true, ratio: null, doubts: null };
  const without = Object.entries({ a, b }).filter(([, { judged }]) => judged === 0);
  if (without.length > 0) {
    const sides = without.map(([name]) => name).join(' and ');
    return { ...row, why: `no trial of ${sides} could be judged`, isVoid: true };
  }
  const atLeast = (['a', 'b'] as const).filter((name) => ({ a, b })[name].isOpenAbove);
  const canBeWorse = !(b.isOpenAbove || a.isOpenBelow);
  const canBeBetter = !(a.isOpenAbove || b.isOpenBelow);
  if (!canBeWorse && !canBeBetter)
    return { ...row, atLeast, why: a.isOpenAbove ? 'both are lower bounds' : 'no trial passed' };
  const doubts = doubtsOf(a.posterior, b.posterior, canBeWorse, canBeBetter);
  if (canBeWorse && canBeBetter) return { ...row, ratio: ratioOf(a.posterior, b.posterior), doubts };
  return { ...row, atLeast, doubts, why: `${openSides(a, b)}, and no claim beyond it` };
}

function openSides(a: Side, b: Side): string {
  const texts = Object.entries({ a, b }).flatMap(([name, { isOpenAbove, isOpenBelow }]) => {
    if (isOpenAbove) return [`${name} is a lower bound`];
    return isOpenBelow ? [`${name} is below all loads tried`] : [];
  });
  return texts.join(', ');
}

function doubtsOf(a: Posterior, b: Posterior, canBeWorse: boolean, canBeBetter: boolean): Doubts {
  return (margin) => ({
    worse: canBeWorse ? 1 - probabilityBelow(1 / (1 + margin), a, b) : 1,
    better: canBeBetter ? probabilityBelow(1 + margin, a, b) : 1,
  });
}

/** One figure over the trials of both runs; trials without it are left out. The row decides. */
export function compareSpread<Trial>(
  label: Label,
  good: 'higher' | 'lower',
  trialsA: readonly Trial[],
  trialsB: readonly Trial[],
  figureOf: (trial: Trial) => number | null | undefined,
): Comparison {
  const [logsA, logsB] = [logarithms(trialsA.map(figureOf)), logarithms(trialsB.map(figureOf))];
  const row = { ...label, a: geometricMean(logsA), b: geometricMean(logsB), decides: true };
  const difference = welchDifference(logsA, logsB);
  if (difference !== null)
    return { ...row, ratio: ratioWithin(difference), doubts: welchDoubts(difference, good) };
  const unjudged = { ...row, ratio: null, doubts: null };
  const why = logsA.length === 0 || logsB.length === 0 ? 'no figure on one side' : oneSample;
  const isVoid = trialsA.length === 0 || trialsB.length === 0;
  return { ...unjudged, why, ...(isVoid ? { isVoid } : {}) };
}

function ratioWithin({ mean, error, freedom }: Difference): LoadEstimate {
  const half = studentQuantile(tail, freedom) * error;
  return { low: Math.exp(mean - half), middle: Math.exp(mean), high: Math.exp(mean + half) };
}

/** The tail of Student's t beyond the margin. */
function welchDoubts({ mean, error, freedom }: Difference, good: 'higher' | 'lower'): Doubts {
  const above = (bound: number) => {
    if (error > 0) return studentTail((bound - mean) / error, freedom);
    return mean > bound ? 1 : 0;
  };
  return (margin) => {
    const notLower = above(-Math.log(1 + margin));
    const notHigher = 1 - above(Math.log(1 + margin));
    return good === 'higher'
      ? { worse: notLower, better: notHigher }
      : { worse: notHigher, better: notLower };
  };
}

/** How many trials failed, by Fisher's exact test. The row decides; it has no ratio, and so no margin. */
export function compareFailures(
  variant: string,
  trialsA: readonly { outcome: string }[],
  trialsB: readonly { outcome: string }[],
): Comparison {
  const [a, b] = [countsOf(trialsA), countsOf(trialsB)];
  const label = { variant, metric: 'failed trials', unit: 'number' } as const;
  const row = { ...label, a: a.failed, b: b.failed, ratio: null, doubts: null, decides: true };
  if (a.all === 0 || b.all === 0) return { ...row, why: noTrial, isVoid: true };
  if (a.all < 2 || b.all < 2) return { ...row, why: oneSample };
  const doubts = { worse: fisherTail(a, b), better: fisherTail(b, a) };
  return { ...row, doubts: () => doubts };
}

type Counts = { failed: number; all: number };

function countsOf(trials: readonly { outcome: string }[]): Counts {
  const judged = trials.filter(isJudged);
  return { failed: judged.filter(({ outcome }) => outcome === 'fail').length, all: judged.length };
}

/** The probability that b has so many of all failures or more, if both sides fail alike. */
function fisherTail(a: Counts, b: Counts): number {
  const failed = a.failed + b.failed;
  let probability = 0;
  for (let ofB = b.failed; ofB <= Math.min(failed, b.all); ofB++)
    probability += choose(b.all, ofB) * choose(a.all, failed - ofB);
  return Math.min(1, probability / choose(a.all + b.all, failed));
}

/** 0 where more are chosen than there are. */
function choose(from: number, count: number): number {
  let ways = 1;
  for (let one = 0; one < count; one++) ways *= (from - one) / (one + 1);
  return ways;
}

function logarithms(values: readonly (number | null | undefined)[]): number[] {
  return values.flatMap((value) => (value != null && value > 0 ? Math.log(value) : []));
}

function geometricMean(logs: readonly number[]): number | null {
  return logs.length === 0 ? null : Math.exp(meanOf(logs));
}

/** What may be said of the capacities of variants, the same in sentences, tables and pictures. Pure. */
import type { CapacityFinding } from '../analysis/finding.ts';
import { ratioOf } from '../analysis/threshold.ts';
import type { LoadEstimate } from '../records/schema.ts';
import { formatAtLeast, formatCores, formatNumber, formatTrials } from './format.ts';

/**
 * Of one against another. `same`: their intervals overlap. `unknown`: both are lower bounds, or one has no
 * capacity.
 */
export type Claim =
  | { kind: 'ratio'; ratio: LoadEstimate }
  | { kind: 'at least'; times: number }
  | { kind: 'at most'; times: number }
  | { kind: 'same' }
  | { kind: 'unknown' };

/** How many times the capacity of a is that of b, where the intervals allow to say so. */
export function claimOf(a: CapacityFinding, b: CapacityFinding): Claim {
  const [rangeA, rangeB] = [rangeOf(a), rangeOf(b)];
  if (rangeA === null || rangeB === null) return { kind: 'unknown' };
  if (a.atLeast !== null && b.atLeast !== null) return { kind: 'unknown' };
  if (rangeB.low <= rangeA.high && rangeA.low <= rangeB.high) return { kind: 'same' };
  if (a.atLeast !== null) return { kind: 'at least', times: rangeA.low / rangeB.high };
  if (b.atLeast !== null) return { kind: 'at most', times: rangeA.high / rangeB.low };
  return { kind: 'ratio', ratio: ratioOf(b.posterior, a.posterior) };
}

/** For a cell: `190 (132–257)`, `≥ 329`, `not told apart`. */
export function claimCell(claim: Claim): string {
  if (claim.kind === 'same') return 'not told apart';
  if (claim.kind === 'unknown') return '–';
  if (claim.kind === 'at least') return `≥ ${times(claim.times, Math.floor)}`;
  if (claim.kind === 'at most') return `≤ ${times(claim.times, Math.ceil)}`;
  const { low, middle, high } = claim.ratio;
  return `${times(middle)} (${times(low)}–${times(high)})`;
}

/** For a sentence: `190 times as many (132–257)`, `at least 69 times fewer`. */
export function claimPhrase(claim: Claim): string {
  if (claim.kind === 'same') return 'the two cannot be told apart';
  if (claim.kind === 'unknown') return 'how many times as many is not known';
  if (claim.kind === 'at least') return `at least ${times(claim.times, Math.floor)} times as many`;
  if (claim.kind === 'at most') return `at least ${times(1 / claim.times, Math.floor)} times fewer`;
  const { low, middle, high } = claim.ratio;
  return middle >= 1
    ? `${times(middle)} times as many (${times(low)}–${times(high)})`
    : `${times(1 / middle)} times fewer (${times(1 / high)}–${times(1 / low)})`;
}

/**
 * The load that half of the trials hold; with `~` where no trial was made that far up or down; `≥` and a load
 * that is held where no trial failed.
 */
export function capacityText({ threshold, atLeast, isBeyondTried }: CapacityFinding): string {
  if (threshold === null) return 'none';
  if (atLeast !== null) return formatAtLeast(atLeast);
  return `${isBeyondTried ? '~ ' : ''}${formatNumber(threshold.capacity.middle)}`;
}

/** `14,100 (10,800–17,800)`; without an interval where only a lower bound is known. */
export function capacityCell(finding: CapacityFinding): string {
  const { threshold, atLeast } = finding;
  const text = capacityText(finding);
  return threshold === null || atLeast !== null ? text : `${text} (${intervalText(threshold.capacity)})`;
}

/** The load that 9 of 10 trials hold, with its interval; null where only a lower bound is known. */
export function safeLoadCell({ threshold, atLeast }: CapacityFinding): string | null {
  if (threshold === null || atLeast !== null) return null;
  return `${formatNumber(threshold.safeLoad.middle)} (${intervalText(threshold.safeLoad)})`;
}

/** `10,200–12,400`. */
export function intervalText({ low, high }: LoadEstimate): string {
  return `${formatNumber(low)}–${formatNumber(high)}`;
}

/** `12 trials, 5 void`. */
export function effortText(trials: readonly { outcome: string }[]): string {
  const voids = voidsOf(trials);
  return `${formatTrials(trials.length)}${voids === 0 ? '' : `, ${voids} void`}`;
}

/** `12 (5)`: trials, and in brackets the void ones. */
export function effortCell(trials: readonly { outcome: string }[]): string {
  const voids = voidsOf(trials);
  return `${trials.length}${voids === 0 ? '' : ` (${voids})`}`;
}

/** Trials that say nothing about the server. */
export function voidsOf(trials: readonly { outcome: string }[]): number {
  return trials.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'fail').length;
}

/**
 * The CPU that all server nodes of a variant have together: `2 cores`. Where nothing limits them it is as
 * many as they have event loops. Null where the result does not say.
 */
export function boxOf({ typical, trials }: CapacityFinding): string | null {
  const trial = typical ?? trials[0];
  if (trial === undefined) return null;
  const limits = trial.observedLimits.map(({ cpuCores }) => cpuCores ?? Number.POSITIVE_INFINITY);
  const limited = limits.reduce((sum, cores) => sum + cores, 0);
  const cores = Math.min(limited, trial.pinnedServerCores ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(cores) && cores > 0) return formatCores(Number(cores.toFixed(6)));
  const loops = trial.server?.eventLoops;
  return loops === undefined ? null : `${loops} unlimited event loop${loops === 1 ? '' : 's'}`;
}

function rangeOf({ threshold, atLeast }: CapacityFinding): { low: number; high: number } | null {
  if (threshold === null) return null;
  return atLeast === null ? threshold.capacity : { low: atLeast, high: Number.POSITIVE_INFINITY };
}

/** Two digits of a factor, three from 100; a bound is rounded to its safe side. */
function times(value: number, round: (value: number) => number = Math.round): string {
  const step = 10 ** (Math.floor(Math.log10(value)) - (value < 100 ? 1 : 2));
  return formatNumber(round(value / step) * step);
}

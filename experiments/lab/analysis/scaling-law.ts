/**
 * How capacity grows with workers or nodes: Gunther's Universal Scalability Law
 * (N. J. Gunther, Guerrilla Capacity Planning, Springer 2007, chapter 4–6),
 *
 *     C(N) = λ N / (1 + σ (N − 1) + κ N (N − 1))
 *
 * λ is the capacity of one. σ is contention: the share of the work that cannot be shared out. κ is coherence:
 * what each pays for every other. With κ above 0 there is a peak, beyond which more of them carry less. Pure.
 */
import type { LoadEstimate, LoadRun, Scale } from '../records/schema.ts';
import { type CapacityFinding, capacityFindings } from './finding.ts';
import { fitLogarithms } from './least-squares.ts';
import { seeded } from './random.ts';
import { type Posterior, quantilesOf, ratioOf } from './threshold.ts';

export type ScalingPoint = { readonly count: number; readonly posterior: Posterior };

/** Each with its 90 % interval; `middle` is the median. */
export type ScalingLaw = {
  /** Capacity of one, in the unit of the varied quantity. */
  lambda: LoadEstimate;
  sigma: LoadEstimate;
  kappa: LoadEstimate;
  /** The count with the highest capacity; infinite where there is no peak. Never below 1. */
  peak: LoadEstimate;
  /**
   * The capacity of that many by the law. Simulated, its interval holds the truth 9 of 10 times within the
   * counts that were fitted, and 8 of 10 times at twice the highest where σ or κ is 0.
   */
  at(count: number): LoadEstimate;
};

/** The variants of a run that differ in their count only. */
export type ScalingFinding = {
  group: string;
  of: Scale['of'];
  points: readonly (CapacityFinding & { count: number })[];
  /** Counts whose capacity is not known: no trial passed, or none failed. They are not in the fit. */
  leftOut: readonly number[];
  /** Null where fewer than three counts have a known capacity. */
  law: ScalingLaw | null;
};

/** Distinct counts that three coefficients need. */
export const countsMin = 3;
/** Draws from the posteriors. Chosen, not measured: ten of them lie beyond each end of an interval. */
const draws = 200;
/** Width of a 90 % interval of a normal distribution, in standard deviations. */
const deviationsWide = 3.29;

/**
 * Fits the law. From the posterior of each count a capacity is drawn, and the law is fitted to these by
 * least squares in logarithms, each weighing by the precision of its posterior; the intervals are those of
 * many such fits. Null with fewer than three distinct counts. The same seed gives the same law.
 */
export function fitScaling(points: readonly ScalingPoint[], seed: number): ScalingLaw | null {
  if (new Set(points.map(({ count }) => count)).size < countsMin) return null;
  const random = seeded(seed);
  const quantiles = points.map(({ posterior }) => quantilesOf(posterior));
  const weights = quantiles.map((at) => (deviationsWide / Math.log(at(0.95) / at(0.05))) ** 2);
  const fits = Array.from({ length: draws }, () => {
    const observations = points.map(({ count }, index) => ({
      // N / C(N) is linear in 1/λ, σ/λ and κ/λ.
      terms: [1, count - 1, count * (count - 1)],
      value: count / quantiles[index]!(random()),
    }));
    const [one = 0, contention = 0, coherence = 0] = fitLogarithms(observations, weights);
    return { lambda: 1 / one, sigma: contention / one, kappa: coherence / one };
  }).filter(({ lambda }) => Number.isFinite(lambda));
  if (fits.length === 0) return null;
  return {
    lambda: estimateOf(fits.map(({ lambda }) => lambda)),
    sigma: estimateOf(fits.map(({ sigma }) => sigma)),
    kappa: estimateOf(fits.map(({ kappa }) => kappa)),
    peak: estimateOf(fits.map(peakOf)),
    at: (count) => estimateOf(fits.map((fit) => capacityOf(fit, count))),
  };
}

/** The law of each group of the run, in the order of the variants; none where no variant has a scale. */
export function scalingFindings(run: LoadRun): ScalingFinding[] {
  if (!run.record.variants.some(({ scale }) => scale)) return [];
  const scaled = capacityFindings(run).flatMap((finding) => {
    const { scale } = finding.variant;
    return scale ? [{ ...finding, scale, count: scale.count }] : [];
  });
  const groups = Map.groupBy(scaled, ({ scale: { of, group } }) => `${group} ${of}`);
  return [...groups.values()].map((points) => {
    const known = points.filter(({ threshold, atLeast }) => threshold !== null && atLeast === null);
    const { of, group } = points[0]!.scale;
    return {
      group,
      of,
      points,
      leftOut: points.filter((point) => !known.includes(point)).map(({ count }) => count),
      law: fitScaling(known, run.record.seed),
    };
  });
}

/**
 * The counts that carry more than their share of the lowest count, each with how many times as much it
 * carries: the 90 % interval of that lies above how many times as many it is. The law has no place for them:
 * its σ and κ are never below 0.
 */
export function beyondShare(points: readonly ScalingPoint[]): { count: number; times: LoadEstimate }[] {
  const [first, ...more] = points.toSorted((a, b) => a.count - b.count);
  return more.flatMap(({ count, posterior }) => {
    const times = ratioOf(first!.posterior, posterior);
    return times.low > count / first!.count ? [{ count, times }] : [];
  });
}

type Fit = { lambda: number; sigma: number; kappa: number };

function capacityOf({ lambda, sigma, kappa }: Fit, count: number): number {
  return (lambda * count) / (1 + sigma * (count - 1) + kappa * count * (count - 1));
}

/** Where the derivative of C is 0: √((1 − σ) / κ). */
function peakOf({ sigma, kappa }: Fit): number {
  if (sigma >= 1) return 1;
  return kappa === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.sqrt((1 - sigma) / kappa));
}

function estimateOf(values: readonly number[]): LoadEstimate {
  // Infinity − Infinity is no number to sort by.
  const sorted = values.toSorted((a, b) => (a === b ? 0 : a - b));
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.05), middle: at(0.5), high: at(0.95) };
}

/**
 * The slope of a series, with an interval that allows for outliers and for values that depend on the one
 * before: Theil and Sen's median of the slopes between all pairs (P. K. Sen, JASA 63, 1968), whose interval
 * follows from Kendall's S. Its variance is widened by (1 + ρ) / (1 − ρ), where ρ is the correlation of
 * successive residuals, as for a process of first order (Hamed and Rao, Journal of Hydrology 204, 1998).
 */
import type { LoadEstimate } from '../records/schema.ts';
import { medianOf, sumOf } from './statistics.ts';

/** Fewer values than this have no slope worth telling. Chosen, not measured. */
const valuesMin = 10;
/** More would make the interval endless. */
const correlationMax = 0.9;

/** Change of y for a change of x by 1; null with fewer than ten values. `z` is the normal quantile. */
export function slopeOf(xs: readonly number[], ys: readonly number[], z: number): LoadEstimate | null {
  const count = ys.length;
  if (count < valuesMin) return null;
  const slopes: number[] = [];
  for (let later = 1; later < count; later++) {
    for (let earlier = 0; earlier < later; earlier++)
      slopes.push((ys[later]! - ys[earlier]!) / (xs[later]! - xs[earlier]!));
  }
  slopes.sort((a, b) => a - b);
  const middle = medianOf(slopes);
  const rho = correlationOf(ys.map((y, index) => y - middle * xs[index]!));
  const variance = (count * (count - 1) * (2 * count + 5)) / 18;
  const width = z * Math.sqrt((variance * (1 + rho)) / (1 - rho));
  const at = (rank: number) => slopes[Math.max(0, Math.min(slopes.length - 1, Math.round(rank)))]!;
  return { low: at((slopes.length - width) / 2 - 1), middle, high: at((slopes.length + width) / 2) };
}

/**
 * Correlation of each value with the next, 0 to 0.9. Short series make it look smaller than it is, by about
 * (1 + 4ρ) / n (Marriott and Pope, Biometrika 41, 1954), which is added.
 */
function correlationOf(values: readonly number[]): number {
  const middle = medianOf(values);
  const differences = values.map((value) => value - middle);
  const squares = differences.reduce((sum, value) => sum + value ** 2, 0);
  if (squares === 0) return 0;
  const products = differences.slice(1).map((value, index) => value * differences[index]!);
  const rho = sumOf(products) / squares;
  return Math.min(correlationMax, Math.max(0, rho + (1 + 4 * rho) / values.length));
}

/** Events per unit of time with their exact 90 % interval (Garwood, Biometrika 28, 1936). */
export function rateOf(events: number, time: number): LoadEstimate {
  const solve = (isAbove: (mean: number) => boolean) => {
    let [low, high] = [0, 4 * events + 10];
    for (let step = 0; step < 60; step++) {
      const mean = (low + high) / 2;
      if (isAbove(mean)) high = mean;
      else low = mean;
    }
    return low;
  };
  const low = events === 0 ? 0 : solve((mean) => 1 - poissonUpTo(events - 1, mean) > 0.05);
  const high = solve((mean) => poissonUpTo(events, mean) < 0.05);
  return { low: low / time, middle: events / time, high: high / time };
}

function poissonUpTo(events: number, mean: number): number {
  let term = Math.exp(-mean);
  let sum = term;
  for (let count = 1; count <= events; count++) {
    term *= mean / count;
    sum += term;
  }
  return sum;
}

/** Statistics for three to five repetitions: means with Student's t, and Welch's difference. */

/** 97.5 % quantiles of Student's t by degrees of freedom, from 1; above 30 the normal quantile holds. */
const tQuantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const normalQuantile = 1.96;

export type Interval = { mean: number; low: number; high: number };

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The lower of the two middle values where there are two, so that it is always one of the values. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

/** 95 % interval of mean(b) − mean(a), for any variances; null where either has fewer than two values. */
export function welchInterval(a: readonly number[], b: readonly number[]): Interval | null {
  if (a.length < 2 || b.length < 2) return null;
  const [errorA, errorB] = [varianceOf(a) / a.length, varianceOf(b) / b.length];
  const mean = meanOf(b) - meanOf(a);
  const error = errorA + errorB;
  if (error === 0) return { mean, low: mean, high: mean };
  const freedom = error ** 2 / (errorA ** 2 / (a.length - 1) + errorB ** 2 / (b.length - 1));
  // Rounding the degrees of freedom down makes the interval wider, never narrower.
  return interval(mean, error, Math.max(1, Math.floor(freedom)));
}

function interval(mean: number, variance: number, freedom: number): Interval {
  const half = (tQuantiles[freedom - 1] ?? normalQuantile) * Math.sqrt(variance);
  return { mean, low: mean - half, high: mean + half };
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

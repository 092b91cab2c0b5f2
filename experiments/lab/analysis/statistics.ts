/** Statistics for three to five repetitions: sums, means, medians, and Welch's difference. */

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Null where there are no values, or one of them is not known. */
export function sumOrNull(values: readonly (number | null)[]): number | null {
  return values.length === 0 || values.includes(null) ? null : sumOf(values as number[]);
}

export function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}

/**
 * The logarithm of how likely a positive value is whose logarithm is normal, `deviation` around that of
 * `middle`; without its constant.
 */
export function logNormalDensity(
  value: number,
  { middle, deviation }: { middle: number; deviation: number },
): number {
  return -((Math.log(value / middle) / deviation) ** 2) / 2;
}

/** The lower of the two middle values where there are two, so that it is always one of the values. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

/** mean(b) − mean(a), its standard error, and the degrees of freedom of Student's t for it. */
export type Difference = { mean: number; error: number; freedom: number };

/** For any variances; null where either has fewer than two values. */
export function welchDifference(a: readonly number[], b: readonly number[]): Difference | null {
  if (a.length < 2 || b.length < 2) return null;
  const [squareA, squareB] = [varianceOf(a) / a.length, varianceOf(b) / b.length];
  const mean = meanOf(b) - meanOf(a);
  const square = squareA + squareB;
  if (square === 0) return { mean, error: 0, freedom: a.length + b.length - 2 };
  const freedom = square ** 2 / (squareA ** 2 / (a.length - 1) + squareB ** 2 / (b.length - 1));
  // Rounding the degrees of freedom down makes the interval wider, never narrower.
  return { mean, error: Math.sqrt(square), freedom: Math.max(1, Math.floor(freedom)) };
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

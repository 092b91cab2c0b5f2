/** Student's t distribution for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4). */

/** Bisections of a quantile: each halves an interval of width 1000, so that 50 leave less than 1e-12. */
const bisections = 50;

/** The probability of a value above `t`. */
export function studentTail(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const squaredCosine = Math.cos(angle) ** 2;
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k < freedom; k += 2) {
    term *= (squaredCosine * (k - 1)) / k;
    sum += term;
  }
  const within = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return Math.min(1, Math.max(0, (1 - within) / 2));
}

/** The value that is exceeded with this probability, below a half. */
export function studentQuantile(tail: number, freedom: number): number {
  let [low, high] = [0, 1000];
  for (let step = 0; step < bisections; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

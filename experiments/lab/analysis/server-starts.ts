/**
 * Several starts of a server as one answer. What one start holds differs from what the next one holds, by
 * its compiled code, its heap and the minute of the machine that it ran in; trials on one start know nothing
 * of that. So each start has a threshold of its own, ln-normally spread around the one that is asked for (a
 * random effect, as in a meta-analysis). The deviation of that spread is not known either: it is summed
 * over several, weighted by how likely they were before. Pure.
 */
import { logNormalDensity } from './statistics.ts';

/** Deviations of ln θ between starts that are considered. */
const deviations = [0.01, 0.02, 0.04, 0.08, 0.16];
/** How likely each is before the first trial: normal in the logarithm. */
const deviationUsual = { middle: 0.06, deviation: 0.7 };
const logPriors = deviations.map((deviation) => logNormalDensity(deviation, deviationUsual));
/** Where a normal distribution is cut off, in deviations. */
const reach = 4;
/** So far from the middle, in ln θ, one start may lie. */
export const startReach = 3 * deviations.at(-1)!;

/**
 * The logarithm of the likelihood of (θ, s) from all starts. Takes that of each start, with θ as the first
 * index and s as the second, and the step between two points of ln θ. Adds a constant, which no posterior
 * minds.
 */
export function acrossStarts(
  logLikelihoods: readonly Float64Array[],
  slopes: number,
  step: number,
): Float64Array {
  const perStart = logLikelihoods.map(relative);
  const perDeviation = deviations.map((deviation, index) => {
    const sum = new Float64Array(perStart[0]!.length).fill(logPriors[index]!);
    const weights = kernel(deviation / step);
    for (const likelihood of perStart) {
      const seen = spread(likelihood, slopes, weights);
      for (let cell = 0; cell < sum.length; cell++) sum[cell]! += Math.log(seen[cell]!);
    }
    return sum;
  });
  return perDeviation[0]!.map((_, cell) => logOfSum(perDeviation.map((sum) => sum[cell]!)));
}

/** As shares of the largest; never exactly 0, of which there is no logarithm. */
function relative(logLikelihood: Float64Array): Float64Array {
  const largest = logLikelihood.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return logLikelihood.map((value) => Math.max(1e-200, Math.exp(value - largest)));
}

/** Weights of a normal distribution at 0, 1, 2 … points from its middle. */
function kernel(deviationPoints: number): Float64Array {
  const points = Math.ceil(reach * deviationPoints);
  return Float64Array.from({ length: points + 1 }, (_, at) => Math.exp(-((at / deviationPoints) ** 2) / 2));
}

/** The mean of the likelihood around each θ, weighted by the kernel as far as the grid goes. */
function spread(likelihood: Float64Array, slopes: number, weights: Float64Array): Float64Array {
  const thetas = likelihood.length / slopes;
  const seen = new Float64Array(likelihood.length);
  for (let theta = 0; theta < thetas; theta++) {
    const from = Math.max(0, theta - weights.length + 1);
    const to = Math.min(thetas - 1, theta + weights.length - 1);
    let mass = 0;
    for (let other = from; other <= to; other++) {
      const weight = weights[Math.abs(other - theta)]!;
      mass += weight;
      for (let slope = 0; slope < slopes; slope++)
        seen[theta * slopes + slope]! += weight * likelihood[other * slopes + slope]!;
    }
    for (let slope = 0; slope < slopes; slope++) seen[theta * slopes + slope]! /= mass;
  }
  return seen;
}

function logOfSum(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

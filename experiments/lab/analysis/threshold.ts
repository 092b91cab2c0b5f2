/**
 * Capacity as a threshold. Near the edge, whether a trial passes is a matter of probability:
 *
 *     P(pass | load) = (1 − lapse) / (1 + e^((ln load − θ) / s))
 *
 * θ is the logarithm of the load that half of the trials hold. s says how gradual the edge is. A lapse is a
 * trial that fails for a reason that has nothing to do with the load. The posterior of (θ, s) lies on a grid.
 * The next load is the one that is expected to leave the least entropy in it: the Ψ method of Kontsevich and
 * Tyler (Vision Research 39, 1999), known from psychophysics. Where the trials ran on several starts of the
 * server, each has a θ of its own, and the posterior is that of their middle (server-starts.ts). Pure.
 */
import type { LoadEstimate, Threshold } from '../records/schema.ts';
import { acrossStarts, startReach } from './server-starts.ts';
import { logNormalDensity } from './statistics.ts';

/** One judged trial. Void and undetermined trials say nothing about the server and are left out. */
export type Judged = {
  readonly load: number;
  readonly passed: boolean;
  /** Which start of the server it ran on, by any number; absent where there was one. */
  readonly serverStart?: number;
};

/** Loads between which the threshold may lie. */
export type LoadRange = { readonly loadMin: number; readonly loadMax: number };

/** Within the allowed loads, and a whole number: loads are messages per second or clients. */
export function wholeLoad(load: number, min = 1, max = Number.POSITIVE_INFINITY): number {
  return Math.round(Math.min(max, Math.max(min, load)));
}

/** Weights over (θ, s); they add up to 1. Index: θ first, then s. */
export type Posterior = {
  readonly thetas: Float64Array;
  readonly weights: Float64Array;
};

/** Share of trials that fail whatever the load is; chosen, as is usual for the method (1 to 4 %). */
const lapse = 0.02;
/** s from an edge of 2 % to one of 50 %; evenly spaced in the logarithm. */
const slopes = Float64Array.from({ length: 9 }, (_, index) => 0.015 * 30 ** (index / 8));
/**
 * How likely each s is before the first trial: normal in the logarithm. The five stages of 001 had 0.03,
 * 0.06, 0.14, 0.17 and 0.25. Compared with all s alike, it saves one or two trials of a dozen.
 */
const slopeUsual = { middle: 0.08, deviation: 1 };
const logPriors = slopes.map((slope) => logNormalDensity(slope, slopeUsual));
/** Points of θ, in the first look over the whole range and in the second over what is left of it. */
const pointsPerLook = 160;
/** Points with less than this share of the largest weight are left out of the second look. */
const negligible = 1e-5;
/** Quantiles of θ that are tried as the next load. */
const candidateQuantiles = [0.02, 0.07, 0.15, 0.3, 0.5, 0.7, 0.85, 0.93, 0.98];
/** Logarithm of the odds by which 9 of 10 trials pass. */
const safeLogit = Math.log((1 - lapse) / 0.9 - 1);

/** The posterior of the trials. Before the first one, all loads of the range are alike, in the logarithm. */
export function posteriorOf(trials: readonly Judged[], { loadMin, loadMax }: LoadRange): Posterior {
  const starts = [...Map.groupBy(trials, ({ serverStart }) => serverStart).values()];
  const wide = weigh(starts, Math.log(loadMin), Math.log(loadMax));
  const marginal = marginalOf(wide);
  const largest = Math.max(...marginal);
  const first = marginal.findIndex((weight) => weight > negligible * largest);
  const last = marginal.findLastIndex((weight) => weight > negligible * largest);
  const { thetas } = wide;
  // One start of several may lie further off than their middle can.
  const beside = starts.length > 1 ? startReach : 0;
  return weigh(
    starts,
    Math.max(thetas[0]!, thetas[Math.max(0, first - 1)]! - beside),
    Math.min(thetas.at(-1)!, thetas[Math.min(thetas.length - 1, last + 1)]! + beside),
  );
}

/**
 * The range of an answer: from half of the lowest load judged to twice the highest. Nothing is known beyond
 * it, and a single lapse must not let the range of the search decide.
 */
export function triedRange(trials: readonly Judged[], { loadMin, loadMax }: LoadRange): LoadRange {
  if (trials.length === 0) return { loadMin, loadMax };
  const loads = trials.map(({ load }) => load);
  return {
    loadMin: Math.max(loadMin, Math.min(...loads) / 2),
    loadMax: Math.min(loadMax, Math.max(...loads) * 2),
  };
}

/**
 * The load that is held at the least, where no trial failed; else null. Above the highest load that passed,
 * the threshold would only repeat the range of the search.
 */
export function heldAtLeast(trials: readonly Judged[], { capacity }: Threshold): number | null {
  if (trials.some(({ passed }) => !passed)) return null;
  return Math.min(capacity.low, Math.max(...trials.map(({ load }) => load)));
}

/**
 * Whether a capacity lies above all loads that were judged, or below them: then it follows from the shape
 * that is assumed of an edge, and no trial was made there.
 */
export function isBeyondTried(trials: readonly Judged[], { capacity: { middle } }: Threshold): boolean {
  return trials.every(({ load }) => load < middle) || trials.every(({ load }) => load > middle);
}

/** Capacity and safe load of a posterior. */
export function thresholdOf(posterior: Posterior): Threshold {
  const { thetas } = posterior;
  const marginal = marginalOf(posterior);
  const safe: [number, number][] = [];
  const bySlope = new Float64Array(slopes.length);
  forEachCell(posterior, (theta, slope, weight) => {
    safe.push([thetas[theta]! + slopes[slope]! * safeLogit, weight]);
    bySlope[slope]! += weight;
  });
  safe.sort(([one], [other]) => one - other);
  return {
    capacity: estimateOf(thetas, marginal),
    safeLoad: estimateOf(
      Float64Array.from(safe, ([value]) => value),
      Float64Array.from(safe, ([, weight]) => weight),
    ),
    slope: quantileOf(slopes, bySlope, 0.5),
  };
}

/** The load whose outcome is expected to teach most about the threshold. */
export function nextLoad(posterior: Posterior): number {
  const marginal = marginalOf(posterior);
  let best = Number.NaN;
  let leastEntropy = Number.POSITIVE_INFINITY;
  for (const quantile of candidateQuantiles) {
    const logLoad = quantileOf(posterior.thetas, marginal, quantile);
    const entropy = expectedEntropy(posterior, logLoad);
    if (entropy >= leastEntropy) continue;
    best = logLoad;
    leastEntropy = entropy;
  }
  return Math.exp(best);
}

/** Half the width of the interval of the capacity, as a share of it: 0.1 is ± 10 %. */
export function precisionOf({ low, high }: LoadEstimate): number {
  return Math.sqrt(high / low) - 1;
}

/** The quantiles of the capacity: for a probability from 0 to 1, the load that it lies below with that. */
export function quantilesOf(posterior: Posterior): (probability: number) => number {
  const marginal = marginalOf(posterior);
  return (probability) => Math.exp(quantileOf(posterior.thetas, marginal, probability));
}

/** b ÷ a with its 90 % interval, from the posteriors of both; the two are taken as independent. */
export function ratioOf(a: Posterior, b: Posterior): LoadEstimate {
  const [marginalA, marginalB] = [marginalOf(a), marginalOf(b)];
  const ratios: [number, number][] = [];
  a.thetas.forEach((thetaA, indexA) => {
    const weightA = marginalA[indexA]!;
    if (weightA < negligible / pointsPerLook) return;
    b.thetas.forEach((thetaB, indexB) => {
      ratios.push([thetaB - thetaA, weightA * marginalB[indexB]!]);
    });
  });
  ratios.sort(([one], [other]) => one - other);
  return estimateOf(
    Float64Array.from(ratios, ([value]) => value),
    Float64Array.from(ratios, ([, weight]) => weight),
  );
}

/** The probability that b ÷ a is below a ratio, from the posteriors of both, taken as independent. */
export function probabilityBelow(ratio: number, a: Posterior, b: Posterior): number {
  const [marginalA, marginalB] = [marginalOf(a), marginalOf(b)];
  let probability = 0;
  a.thetas.forEach((thetaA, indexA) => {
    const weightA = marginalA[indexA]!;
    if (weightA < negligible / pointsPerLook) return;
    let below = 0;
    b.thetas.forEach((thetaB, indexB) => {
      const distance = thetaB - thetaA - Math.log(ratio);
      // Two equal points stand for two intervals, of which half of the pairs lie on either side.
      below += distance < 0 ? marginalB[indexB]! : distance === 0 ? marginalB[indexB]! / 2 : 0;
    });
    probability += weightA * below;
  });
  return Math.min(1, probability);
}

/** `starts`: the trials on each start of the server. */
function weigh(starts: readonly (readonly Judged[])[], logMin: number, logMax: number): Posterior {
  const step = (logMax - logMin) / (pointsPerLook - 1);
  const thetas = Float64Array.from({ length: pointsPerLook }, (_, index) => logMin + index * step);
  const perStart = starts.map((trials) => logLikelihoodOf(trials, thetas));
  const logWeights =
    perStart.length > 1
      ? acrossStarts(perStart, slopes.length, step)
      : (perStart[0] ?? logLikelihoodOf([], thetas));
  let largest = Number.NEGATIVE_INFINITY;
  for (let cell = 0; cell < logWeights.length; cell++) {
    logWeights[cell]! += logPriors[cell % slopes.length]!;
    largest = Math.max(largest, logWeights[cell]!);
  }
  const weights = logWeights.map((logWeight) => Math.exp(logWeight - largest));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return { thetas, weights: weights.map((weight) => weight / sum) };
}

/** Of (θ, s), from trials on one start of the server. */
function logLikelihoodOf(trials: readonly Judged[], thetas: Float64Array): Float64Array {
  const logLikelihoods = new Float64Array(thetas.length * slopes.length);
  for (const { load, passed } of trials) {
    const logLoad = Math.log(load);
    for (let cell = 0; cell < logLikelihoods.length; cell++) {
      const theta = thetas[Math.floor(cell / slopes.length)]!;
      const pass = passProbability(logLoad, theta, slopes[cell % slopes.length]!);
      logLikelihoods[cell]! += Math.log(passed ? pass : 1 - pass);
    }
  }
  return logLikelihoods;
}

function passProbability(logLoad: number, theta: number, slope: number): number {
  // Never exactly 0: one passed trial far above must not rule everything else out.
  return Math.max(1e-9, (1 - lapse) / (1 + Math.exp((logLoad - theta) / slope)));
}

/**
 * Entropy of θ that is left on average after a trial at this load. s is a nuisance (Prins, Journal of Vision
 * 13(7), 2013): entropy of s as well would spend trials on how gradual the edge is, which nobody asked.
 */
function expectedEntropy({ thetas, weights }: Posterior, logLoad: number): number {
  let passShare = 0;
  let passLogs = 0;
  let failLogs = 0;
  for (let theta = 0; theta < thetas.length; theta++) {
    let pass = 0;
    let all = 0;
    for (let slope = 0; slope < slopes.length; slope++) {
      const weight = weights[theta * slopes.length + slope]!;
      if (weight < 1e-12) continue;
      all += weight;
      pass += weight * passProbability(logLoad, thetas[theta]!, slopes[slope]!);
    }
    passShare += pass;
    if (pass > 0) passLogs += pass * Math.log(pass);
    if (all > pass) failLogs += (all - pass) * Math.log(all - pass);
  }
  // −Σ p/P ln(p/P), times P, is P ln P − Σ p ln p; the same for the failed share.
  const failShare = 1 - passShare;
  return passShare * Math.log(passShare) - passLogs + failShare * Math.log(failShare) - failLogs;
}

function marginalOf(posterior: Posterior): Float64Array {
  const marginal = new Float64Array(posterior.thetas.length);
  forEachCell(posterior, (theta, _slope, weight) => {
    marginal[theta]! += weight;
  });
  return marginal;
}

function forEachCell(
  { weights }: Posterior,
  visit: (theta: number, slope: number, weight: number) => void,
): void {
  for (let cell = 0; cell < weights.length; cell++)
    visit(Math.floor(cell / slopes.length), cell % slopes.length, weights[cell]!);
}

function estimateOf(logValues: Float64Array, weights: Float64Array): LoadEstimate {
  const at = (share: number) => Math.exp(quantileOf(logValues, weights, share));
  return { low: at(0.05), middle: at(0.5), high: at(0.95) };
}

/** The value below which that share of the weight lies, interpolated; values ascend. */
function quantileOf(values: Float64Array, weights: Float64Array, share: number): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const before = sum;
    sum += weights[index]!;
    if (sum < share) continue;
    const previous = values[Math.max(0, index - 1)]!;
    return previous + ((share - before) / weights[index]!) * (values[index]! - previous);
  }
  return values.at(-1)!;
}

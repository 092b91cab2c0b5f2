/**
 * Capacity search, as a pure function over a trial: each next load is the one that teaches most about the
 * threshold (threshold.ts), until the threshold is known well enough or the trials are spent.
 */
import type { CapacityAnswer, CapacityMethod, Threshold, TrialOutcome } from '../records/schema.ts';
import {
  heldAtLeast,
  isBeyondTried,
  type Judged,
  type LoadRange,
  nextLoad,
  posteriorOf,
  precisionOf,
  thresholdOf,
  triedRange,
  wholeLoad,
} from './threshold.ts';

/** Bound of one step above the highest load that passed: an overload beyond it teaches nothing more. */
const stepMax = 4;
/** Void trials in a row, after which the instrument is taken as unable to judge this load. */
const voidsMax = 2;
/** Disturbed trials in a row, after which it is no use to wait for a quiet machine. */
const disturbedMax = 8;
/** The next load below one that cannot be judged. */
const retreat = 1.25;
/** Share of the highest load that can be tried, from which on it is tried itself. */
const nearEnd = 0.9;
/** Passes at the highest load that can be tried, after which it is taken as held. */
const passesAtEndMax = 3;
/** A load within this factor of an end of the expected range is near it. */
const nearFactor = 1.25;
/**
 * After an undetermined trial the next load is so many times higher, after a second one as much lower: off
 * the limit of a latency, which rises steeply with the load, either way is clearer. Chosen, not measured.
 */
const sidestep = 1.08;
/** Trials that a search usually takes, for the first estimate of its duration. */
const trialsUsual = 16;
/**
 * Judged trials on one start of the server, about a minute; a search of twice as many and more has several
 * starts. Five searches of 2.5 minutes on one start each differed by a factor of 1.3, three times what their
 * intervals said: what a start has in its code and heap stays, and the machine is faster in one minute than
 * in the next.
 */
export const trialsPerStart = 16;
/** The range of a further start, around the interval that the ones before it have left. */
const furtherFactor = 1.25;

/** Trials that a search takes if nothing unexpected happens. */
export function trialsOfSearch({ trialsMax }: CapacityMethod): number {
  return Math.min(trialsMax, trialsUsual);
}

/**
 * `disturbed`: void because of something else on the machine, which says nothing about the load.
 * `undetermined`: void because a limit broke by less than the simulator's own delay.
 */
export type SearchOutcome = TrialOutcome | 'disturbed' | 'undetermined';

/** Each may be left out: a search among all loads, that ends when it is precise, on one start. */
export type SearchTerms = {
  /**
   * Loads between which the capacity is expected, all alike in the logarithm. It saves trials, is widened
   * where the trials contradict it, and is no part of the answer.
   */
  prior?: LoadRange;
  isTimeUp?: () => boolean;
  /** Starts the server anew. Resolves with false where it was left as it is, because the time is short. */
  startAnew?: () => Promise<boolean>;
};

/** Runs the search. Rejects only when `trial` or `startAnew` rejects. */
export async function searchCapacity(
  method: CapacityMethod,
  trial: (load: number, serverStart: number) => Promise<SearchOutcome>,
  { prior = method, isTimeUp = () => false, startAnew }: SearchTerms = {},
): Promise<CapacityAnswer> {
  let expected = { loadMin: prior.loadMin, loadMax: prior.loadMax };
  const isOfSeveral = startAnew !== undefined && method.trialsMax >= 2 * trialsPerStart;
  const judged: Judged[] = [];
  let serverStart = 1;
  let reach = method.loadMax;
  let trials = 0;
  let voids = 0;
  let voidsInARow = 0;
  let disturbed = 0;
  let disturbedInARow = 0;
  let undeterminedInARow = 0;
  const ended = (end: CapacityAnswer['end']): CapacityAnswer => {
    const threshold = judged.some(({ passed }) => passed) ? answerOf(judged, method) : null;
    const atLeast = threshold && heldAtLeast(judged, threshold);
    const beyond = threshold !== null && isBeyondTried(judged, threshold);
    return { end, threshold, atLeast, isBeyondTried: beyond, trials, voids };
  };
  let load = wholeLoad(method.start, method.loadMin, reach);
  for (;;) {
    if (trials - disturbed === method.trialsMax) return ended('trials-max');
    if (isTimeUp()) return ended('time-max');
    trials += 1;
    const outcome = await trial(load, serverStart);
    if (outcome === 'disturbed') {
      voids += 1;
      disturbed += 1;
      if (++disturbedInARow === disturbedMax) return ended('disturbed');
      continue;
    }
    disturbedInARow = 0;
    if (outcome === 'undetermined') {
      voids += 1;
      undeterminedInARow += 1;
      const factor = undeterminedInARow % 2 === 1 ? sidestep : sidestep ** -2;
      load = wholeLoad(load * factor, method.loadMin, reach);
      continue;
    }
    if (outcome === 'pass' || outcome === 'fail') {
      voidsInARow = 0;
      undeterminedInARow = 0;
      judged.push({ load, passed: outcome === 'pass', serverStart });
    } else {
      voids += 1;
      if (++voidsInARow < voidsMax) continue;
      voidsInARow = 0;
      reach = Math.min(reach, Math.floor(load / retreat));
      if (reach < method.loadMin) return ended('instrument');
    }
    const end = endOf(judged, method, reach);
    if (end !== null) return ended(end);
    if ((!isOfSeveral || serverStart > 1) && isPrecise(judged, method)) return ended('precise');
    const ofStart = judged.filter((one) => one.serverStart === serverStart);
    const isLongEnough = ofStart.length > 0 && ofStart.length % trialsPerStart === 0;
    if (isOfSeveral && isLongEnough && isKnown(judged) && (await startAnew())) {
      serverStart += 1;
      const { low, middle, high } = answerOf(judged, method).capacity;
      expected = { loadMin: low / furtherFactor, loadMax: high * furtherFactor };
      load = wholeLoad(middle, method.loadMin, reach);
      continue;
    }
    expected = widen(expected, ofStart, method);
    const next = nextLoad(posteriorOf(ofStart, expected));
    const max = Math.min(reach, stepMax * highestPass(judged, load));
    load = wholeLoad(next > nearEnd * reach ? reach : next, method.loadMin, max);
  }
}

/** Whether there are trials on both sides, without which the interval only repeats the range. */
function isKnown(judged: readonly Judged[]): boolean {
  return judged.some(({ passed }) => passed) && judged.some(({ passed }) => !passed);
}

function isPrecise(judged: readonly Judged[], method: CapacityMethod): boolean {
  if (method.precision === 0 || !isKnown(judged)) return false;
  return precisionOf(answerOf(judged, method).capacity) <= method.precision;
}

/** Why the search can go no further, whatever is known; null where it can. */
function endOf(
  judged: readonly Judged[],
  method: CapacityMethod,
  reach: number,
): CapacityAnswer['end'] | null {
  const { loadMin, loadMax } = method;
  const count = (passed: boolean, at: (load: number) => boolean) =>
    judged.filter((one) => one.passed === passed && at(one.load)).length;
  if (count(true, (load) => load >= reach) >= passesAtEndMax)
    return reach === loadMax ? 'load-max' : 'instrument';
  return count(false, (load) => load <= loadMin) >= passesAtEndMax ? 'load-min' : null;
}

function answerOf(judged: readonly Judged[], method: CapacityMethod): Threshold {
  return thresholdOf(posteriorOf(judged, triedRange(judged, method)));
}

/** Further where a load near an end of the range has passed, or failed, as if the capacity lay beyond it. */
function widen({ loadMin, loadMax }: LoadRange, judged: readonly Judged[], all: LoadRange): LoadRange {
  const passedHigh = judged.some(({ load, passed }) => passed && load * nearFactor >= loadMax);
  const failedLow = judged.some(({ load, passed }) => !passed && load <= loadMin * nearFactor);
  return {
    loadMin: failedLow ? Math.max(all.loadMin, loadMin / stepMax) : loadMin,
    loadMax: passedHigh ? Math.min(all.loadMax, loadMax * stepMax) : loadMax,
  };
}

function highestPass(judged: readonly Judged[], otherwise: number): number {
  return Math.max(...judged.filter(({ passed }) => passed).map(({ load }) => load), otherwise / stepMax);
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Threshold } from '../records/schema.ts';
import { seeded } from './random.ts';
import { type Judged, nextLoad, posteriorOf, precisionOf, ratioOf, thresholdOf } from './threshold.ts';

const range = { loadMin: 10, loadMax: 60_000 };
const start = 3000;
const searches = 100;
/** A spread between quantiles needs more of them. */
const spreadSearches = 200;
/** From an edge that is nearly a step to one where the load must double before every trial fails. */
const slopes = [0.02, 0.05, 0.1, 0.2];
/** The ends: between them it differs little. */
const spreadSlopes = [0.02, 0.2];

type Trial = (load: number) => boolean;

/** A made-up server of known capacity: whether a trial passes is drawn from the model. */
function madeUp(seed: number, slope: number, lapse: number): { capacity: number; trial: Trial } {
  const random = seeded(seed);
  const capacity = start * Math.exp(2 * random());
  return {
    capacity,
    trial: (load) => random() < (1 - lapse) / (1 + (load / capacity) ** (1 / slope)),
  };
}

function search(trial: Trial, trials: number): Threshold {
  const judged: Judged[] = [];
  while (judged.length < trials) {
    const load = judged.length === 0 ? start : nextLoad(posteriorOf(judged, range));
    judged.push({ load, passed: trial(load) });
  }
  return thresholdOf(posteriorOf(judged, range));
}

/**
 * The usual search: steps of × 1.5, bisection to 11 %, then confirmations that must all pass, stepping down
 * at each failure. With eight of them it takes as many trials as a search by the threshold usually does.
 */
function bracketBisectConfirm(trial: Trial): { answer: number; trials: number } {
  let trials = 0;
  let [floor, ceiling] = [0, Number.POSITIVE_INFINITY];
  const run = (load: number) => {
    trials += 1;
    const passed = trial(load);
    if (passed) floor = Math.max(floor, load);
    else ceiling = Math.min(ceiling, load);
    return passed;
  };
  for (let load = start; floor === 0 || ceiling === Number.POSITIVE_INFINITY; )
    load = run(load) ? load * 1.5 : load / 1.5;
  while (ceiling / floor > 1.11) run(Math.sqrt(floor * ceiling));
  for (let load = floor; ; load /= 1.11) {
    let confirmations = 0;
    while (confirmations < 8 && run(load)) confirmations += 1;
    if (confirmations === 8) return { answer: load, trials };
  }
}

/** Logarithm of the ratio between the 97.5 % and the 2.5 % quantile. */
function spreadOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return Math.log(at(0.975) / at(0.025));
}

describe('capacity as a threshold', () => {
  for (const slope of slopes) {
    test(`an edge of s = ${slope}: after 16 trials the 90 % interval holds the truth`, () => {
      let held = 0;
      for (let seed = 1; seed <= searches; seed++) {
        const { capacity, trial } = madeUp(seed, slope, 0.02);
        const found = search(trial, 16).capacity;
        if (found.low <= capacity && capacity <= found.high) held += 1;
      }
      assert.ok(held >= 0.85 * searches, `${held} of ${searches}`);
    });
  }

  test('answers spread a third less than by bisection and confirmation, for as many trials', () => {
    const shares = spreadSlopes.map((slope) => {
      const edges = Array.from({ length: spreadSearches }, (_, seed) => madeUp(seed + 1, slope, 0));
      const usual = edges.map(({ capacity, trial }) => ({ capacity, ...bracketBisectConfirm(trial) }));
      const trials = Math.round(usual.reduce((sum, answer) => sum + answer.trials, 0) / usual.length);
      const found = Array.from({ length: spreadSearches }, (_, seed) => {
        const { capacity, trial } = madeUp(seed + 1, slope, 0);
        return search(trial, trials).capacity.middle / capacity;
      });
      return spreadOf(found) / spreadOf(usual.map(({ answer, capacity }) => answer / capacity));
    });
    const mean = Math.exp(shares.reduce((sum, share) => sum + Math.log(share), 0) / shares.length);
    assert.ok(
      mean <= 2 / 3,
      `${mean.toFixed(2)} of the usual spread: ${shares.map((share) => share.toFixed(2))}`,
    );
  });

  test('the safe load lies below the capacity, the further the more gradual the edge is', () => {
    const shares = [0.02, 0.2].map((slope) => {
      const { trial } = madeUp(7, slope, 0);
      const { capacity, safeLoad } = search(trial, 40);
      return safeLoad.middle / capacity.middle;
    });
    assert.ok(shares[1]! < shares[0]! && shares[0]! < 1, String(shares));
  });

  test('the interval of a ratio holds the true ratio and is not narrower than those of its parts', () => {
    const [a, b] = [11, 12].map((seed) => {
      const { capacity, trial } = madeUp(seed, 0.05, 0);
      const judged: Judged[] = [];
      while (judged.length < 16) {
        const load = judged.length === 0 ? start : nextLoad(posteriorOf(judged, range));
        judged.push({ load, passed: trial(load) });
      }
      return { capacity, posterior: posteriorOf(judged, range) };
    });
    const ratio = ratioOf(a!.posterior, b!.posterior);
    const truth = b!.capacity / a!.capacity;
    assert.ok(ratio.low < truth && truth < ratio.high, JSON.stringify({ ratio, truth }));
    assert.ok(precisionOf(ratio) >= precisionOf(thresholdOf(a!.posterior).capacity));
  });

  test('when every trial passes, the interval reaches the end of the range', () => {
    const judged = [1000, 10_000, 30_000, 60_000].map((load) => ({ load, passed: true }));
    assert.ok(thresholdOf(posteriorOf(judged, range)).capacity.high > 0.9 * range.loadMax);
  });
});

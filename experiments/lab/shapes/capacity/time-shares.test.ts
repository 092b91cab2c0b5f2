import assert from 'node:assert/strict';
import { test } from 'node:test';
import { precisionIn, shareTime } from './time-shares.ts';

/** Searches of 60 s together for three, on a clock of our own. */
function threeSearches() {
  let seconds = 0;
  const shares = shareTime(60, 3, () => seconds * 1000);
  /** The seconds that a search has when it uses up to `wanted`. */
  const search = (place: number, wanted: number) => {
    const beganSeconds = seconds;
    const share = shares.begin(place);
    while (seconds - beganSeconds < wanted && !share.isTimeUp()) seconds += 1;
    share.ended();
    return seconds - beganSeconds;
  };
  return { search, wait: (more: number) => (seconds += more) };
}

test('what one search leaves goes to the next, and the whole is not exceeded', () => {
  const { search } = threeSearches();
  assert.equal(search(0, 5), 5);
  assert.equal(search(1, 25), 25);
  // 20 + 15 left by the first, less the 5 that the second had taken of it; a second to notice.
  assert.equal(search(2, 100), 31);
});

test('time between two searches belongs to neither', () => {
  const { search, wait } = threeSearches();
  search(0, 10);
  wait(500);
  assert.equal(search(1, 100), 31);
});

test('a search that cannot take place leaves its share', () => {
  const { search } = threeSearches();
  assert.equal(search(2, 100), 61);
});

test('another round begins with equal shares', () => {
  const { search } = threeSearches();
  search(0, 1);
  assert.equal(search(0, 100), 21);
  assert.equal(search(0, 100), 21);
});

test('fewer searches than all are as much more precise as their time allows', () => {
  assert.equal(precisionIn(0.15, 1), 0.15);
  assert.equal(precisionIn(0.16, 0.25), 0.08);
  assert.equal(precisionIn(0.15, 1 / 27), 0.06);
  assert.equal(precisionIn(0.03, 1 / 8), 0.03);
});

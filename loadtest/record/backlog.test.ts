import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backlogGrowthMs } from './backlog.ts';

const perWindow = 1000;
const measureSlot = 4;

/** The growth over `windows` windows if the delay at the end of window i is `delayMs(i)`. */
function growthOf(windows: number, delayMs: (window: number) => number): number | null {
  const due = Array<number>(measureSlot + windows).fill(perWindow);
  let before = 0;
  const arrived = due.map((count, slot) => {
    const backlog = (delayMs(slot - measureSlot) / 250) * perWindow;
    const came = count - (backlog - before);
    before = backlog;
    return came;
  });
  return backlogGrowthMs(due, arrived, measureSlot, windows * 250_000);
}

test('a steady delay is no growth, however long it is', () => {
  assert.equal(
    growthOf(16, () => 5),
    0,
  );
  assert.equal(
    growthOf(16, () => 900),
    0,
  );
});

test('a target that falls behind by 3 % grows by 3 % of the time between the thirds', () => {
  // 10 s: the middles of the first and the last third are 27 windows apart.
  assert.equal(
    growthOf(40, (window) => 10 + 0.03 * 250 * Math.max(0, window)),
    202.5,
  );
});

test('a stall is no growth, wherever it is, and neither is a backlog that is being worked off', () => {
  for (let at = 0; at < 40; at++)
    assert.equal(
      growthOf(40, (window) => (window === at || window === at + 1 ? 300 : 5)),
      0,
    );
  assert.equal(
    growthOf(40, (window) => (window > 10 && window < 30 ? 400 - 10 * (window - 10) : 5)),
    0,
  );
});

test('a target that falls behind only in the last third grows, even after a shorter backlog before', () => {
  assert.ok(growthOf(40, (window) => (window > 25 ? 20 * (window - 25) : 5))! > 100);
});

test('a measure phase below 2.25 s is too short to say', () => {
  assert.equal(
    growthOf(8, (window) => 50 * window),
    null,
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Judged, posteriorOf, precisionOf, thresholdOf } from './threshold.ts';

const range = { loadMin: 500, loadMax: 20_000 };
/** Trials on both sides of an edge. */
const around = (edge: number, serverStart: number): Judged[] =>
  [0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.2].map((share) => ({
    load: share * edge,
    passed: share < 1,
    serverStart,
  }));
const capacityOf = (judged: readonly Judged[]) => thresholdOf(posteriorOf(judged, range)).capacity;

test('starts that agree are worth more than one of them, and less than as many trials on one start', () => {
  const one = capacityOf(around(5000, 1));
  const four = capacityOf([1, 2, 3, 4].flatMap((start) => around(5000, start)));
  const sameTrials = capacityOf([1, 2, 3, 4].flatMap(() => around(5000, 1)));
  assert.ok(Math.abs(four.middle / 5000 - 1) < 0.02, JSON.stringify(four));
  assert.ok(precisionOf(four) < precisionOf(one), JSON.stringify({ four, one }));
  assert.ok(precisionOf(four) > precisionOf(sameTrials), JSON.stringify({ four, sameTrials }));
});

test('the answer lies in the middle of starts that differ, and its interval is as wide as they differ', () => {
  const edges = [4200, 4800, 5300, 6000];
  const { low, middle, high } = capacityOf(edges.flatMap((edge, start) => around(edge, start)));
  assert.ok(Math.abs(middle / 5040 - 1) < 0.03, String(middle));
  assert.ok(high / low > 1.15 && high / low < 1.5, `${low}–${high}`);
});

test('a start far away from many others does not break the answer', () => {
  const edges = [...Array.from({ length: 11 }, () => 5000), 7000];
  const { low, middle, high } = capacityOf(edges.flatMap((edge, start) => around(edge, start)));
  assert.ok(middle > 4800 && middle < 5600, String(middle));
  assert.ok(low < middle && middle < high && high < 7000);
});

test('which numbers the starts have, and their order, is no matter', () => {
  const one = capacityOf([...around(4500, 1), ...around(5500, 2)]);
  const other = capacityOf([...around(5500, 1007), ...around(4500, 3)]);
  assert.ok(Math.abs(one.middle / other.middle - 1) < 1e-9);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logScale } from './axis-ticks.ts';

test('a logarithmic axis has round marks, as many as fit, and encloses its values', () => {
  assert.deepEqual(logScale([60, 35_000], 7).marks, [100, 300, 1000, 3000, 10_000, 30_000]);
  assert.deepEqual(logScale([15, 240], 7).marks, [20, 30, 50, 100, 200]);
  assert.deepEqual(logScale([1, 1e12], 7).marks, [1, 100, 1e4, 1e6, 1e8, 1e10, 1e12]);
  const { min, max } = logScale([100, 110], 7);
  assert.ok(min < 100 && 110 < max && max / min > 2.5, `${min} ${max}`);
});

test('without a positive value the axis goes from 1 to 10', () => {
  const { min, max } = logScale([0, Number.POSITIVE_INFINITY], 7);
  assert.ok(min > 0.5 && min < 1 && max > 10 && max < 20, `${min} ${max}`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf, welchInterval } from './statistics.ts';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-3, `${actual} is not ${expected}`);

test('Welch’s interval of equal spreads is that of Student with n₁ + n₂ − 2 degrees of freedom', () => {
  const interval = welchInterval([1, 2, 3], [11, 12, 13])!;
  near(interval.mean, 10);
  near(interval.high - 10, 2.776 * Math.sqrt(2 / 3));
  assert.equal(welchInterval([1], [1, 2]), null);
});

test('the median is one of the values, and the order of the input stays', () => {
  const values = [5, 1, 4, 2];
  assert.equal(medianOf(values), 2);
  assert.deepEqual(values, [5, 1, 4, 2]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holm } from './holm.ts';
import { medianOf, welchDifference } from './statistics.ts';
import { studentQuantile, studentTail } from './student.ts';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-3, `${actual} is not ${expected}`);

test('Welch’s difference of equal spreads is that of Student with n₁ + n₂ − 2 degrees of freedom', () => {
  const { mean, error, freedom } = welchDifference([1, 2, 3], [11, 12, 13])!;
  near(mean, 10);
  near(error, Math.sqrt(2 / 3));
  assert.equal(freedom, 4);
  assert.equal(welchDifference([1], [1, 2]), null);
});

test('Student’s quantiles are those of the tables, and the tail of a quantile is its probability', () => {
  const table: [tail: number, freedom: number, value: number][] = [
    [0.025, 1, 12.706],
    [0.025, 2, 4.303],
    [0.025, 4, 2.776],
    [0.025, 9, 2.262],
    [0.05, 3, 2.353],
    [0.05, 30, 1.697],
  ];
  for (const [tail, freedom, value] of table) {
    near(studentQuantile(tail, freedom), value);
    near(studentTail(value, freedom), tail);
    near(studentTail(-value, freedom), 1 - tail);
  }
});

test('Holm multiplies the smallest p by all, the next by one fewer, and keeps their order', () => {
  const expected = [0.03, 0.04, 0.06, 0.06];
  for (const [index, p] of holm([0.0075, 0.03, 0.0133, 0.03]).entries())
    near(p, [expected[0]!, expected[2]!, expected[1]!, expected[3]!][index]!);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  assert.deepEqual(holm([]), []);
});

test('the median is one of the values, and the order of the input stays', () => {
  const values = [5, 1, 4, 2];
  assert.equal(medianOf(values), 2);
  assert.deepEqual(values, [5, 1, 4, 2]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitLogarithms } from './least-squares.ts';

const near = (actual: readonly number[], expected: readonly number[]) =>
  actual.forEach((value, index) => {
    const message = `coefficient ${index}: ${value} instead of ${expected[index]}`;
    assert.ok(Math.abs(value - expected[index]!) <= 1e-6 * Math.max(1e-3, expected[index]!), message);
  });

test('values without noise give back their coefficients, over five orders of magnitude', () => {
  const truth = [20e-6, 6e-6, 1e-9];
  const terms = [
    [100, 1e5, 1e7],
    [1e4, 1.2e5, 1e9],
    [9e4, 9e4, 1e8],
    [1e3, 1e3, 1e8],
  ];
  const value = (row: readonly number[]) => row.reduce((sum, term, index) => sum + term * truth[index]!, 0);
  near(
    fitLogarithms(terms.map((row) => ({ terms: row, value: value(row) }))).map((one) => one * 1e6),
    truth.map((one) => one * 1e6),
  );
});

test('a coefficient that would be negative is 0, and the others fit without it', () => {
  const observations = [1, 2, 4].map((x) => ({ terms: [1, x], value: 10 / x }));
  const [constant = 0, slope] = fitLogarithms(observations);
  assert.equal(slope, 0);
  // The constant with the least squares of logarithms is the geometric mean of 10, 5 and 2.5.
  near([constant], [5]);
});

test('terms that are in proportion everywhere cannot be told apart: one of them gets 0', () => {
  const observations = [1, 2, 3].map((x) => ({ terms: [x, 1000 * x], value: 5 * x }));
  const fitted = fitLogarithms(observations);
  assert.equal(fitted.filter((one) => one === 0).length, 1);
  near([fitted[0]! + 1000 * fitted[1]!], [5]);
});

test('a weight decides between observations that disagree', () => {
  const observations = [
    { terms: [1], value: 1 },
    { terms: [1], value: 100 },
  ];
  near(fitLogarithms(observations), [10]);
  near(fitLogarithms(observations, [3, 1]), [100 ** 0.25]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeShares } from './time-shares.ts';

test('what a search takes beyond its share is missing to those after it, and what it leaves is theirs', () => {
  const shares = new TimeShares(300, 3);
  assert.equal(shares.begin(1000), 1100);
  // 20 ms late: 180 are left for two.
  assert.equal(shares.begin(1120), 1210);
  // 40 ms early: 130 are left.
  assert.equal(shares.begin(1170), 1300);
});

test('time that is spent on something else is not of the searches', () => {
  const shares = new TimeShares(200, 2);
  shares.begin(0);
  shares.exempt(500);
  assert.equal(shares.begin(600), 700);
});

test('where the time is spent, a search that begins has none', () => {
  const shares = new TimeShares(100, 2);
  shares.begin(0);
  assert.equal(shares.begin(150), 150);
  assert.equal(new TimeShares(Number.POSITIVE_INFINITY, 1).begin(7), Number.POSITIVE_INFINITY);
});

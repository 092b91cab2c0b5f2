import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempts } from './attempts.ts';

test('so many attempts at once, then one more after each expiry; other keys are not concerned', () => {
  const attempts = new Attempts(3, 1000);
  for (let n = 0; n < 3; n++) {
    assert.equal(attempts.waitMs('bob', 0), 0);
    attempts.count('bob', 0);
  }
  assert.deepEqual([attempts.waitMs('bob', 0), attempts.waitMs('eve', 0)], [1000, 0]);
  assert.equal(attempts.waitMs('bob', 600), 400);
  assert.equal(attempts.waitMs('bob', 1000), 0);
  attempts.count('bob', 1000);
  assert.equal(attempts.waitMs('bob', 1000), 1000);
  assert.equal(attempts.waitMs('bob', 10_000), 0, 'all are forgotten in the end');
});

test('an attempt that was good is taken back', () => {
  const attempts = new Attempts(1, 1000);
  attempts.count('bob', 0);
  assert.equal(attempts.waitMs('bob', 0), 1000);
  attempts.forgive('bob', 0);
  assert.deepEqual([attempts.waitMs('bob', 0), attempts.size], [0, 0]);
  attempts.forgive('never counted', 0);
  assert.equal(attempts.size, 0);
});

test('the table is bounded: the key that was counted longest ago makes place', () => {
  const attempts = new Attempts(1, 1_000_000, 100);
  attempts.count('bob', 0);
  for (let n = 0; n < 10_000; n++) {
    attempts.count(`user-${n}`, n);
    if (n % 50 === 0) attempts.count('bob', n); // Who is tried again and again is not forgotten.
  }
  assert.equal(attempts.size, 100);
  assert.ok(attempts.waitMs('bob', 10_000) > 0);
  assert.ok(attempts.waitMs('user-9999', 10_000) > 0);
  assert.equal(attempts.waitMs('user-1', 10_000), 0);
});

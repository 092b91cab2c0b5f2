import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempts } from './attempts.ts';

/** An attempt that failed. */
function fail(attempts: Attempts, key: string, atMs: number): void {
  attempts.begin(key, atMs);
  attempts.end(key, atMs, false);
}

test('so many attempts at once, then one more after each expiry; other keys are not concerned', () => {
  const attempts = new Attempts(3, 1000);
  for (let n = 0; n < 3; n++) {
    assert.equal(attempts.waitMs('bob', 0), 0);
    fail(attempts, 'bob', 0);
  }
  assert.deepEqual([attempts.waitMs('bob', 0), attempts.waitMs('eve', 0)], [1000, 0]);
  assert.equal(attempts.waitMs('bob', 600), 400);
  assert.equal(attempts.waitMs('bob', 1000), 0);
  fail(attempts, 'bob', 1000);
  assert.equal(attempts.waitMs('bob', 1000), 1000);
  assert.equal(attempts.waitMs('bob', 10_000), 0, 'all are forgotten in the end');
});

test('an attempt that was good is taken back', () => {
  const attempts = new Attempts(1, 1000);
  attempts.begin('bob', 0);
  attempts.end('bob', 0, true);
  assert.deepEqual([attempts.waitMs('bob', 0), attempts.size], [0, 0]);
  attempts.end('never begun', 0, true);
  assert.equal(attempts.size, 0);
});

test('while attempts are under way that may be good, the wait is short; once they have failed it is not', () => {
  const attempts = new Attempts(2, 60_000);
  for (let n = 0; n < 2; n++) attempts.begin('bob', 0);
  assert.equal(attempts.waitMs('bob', 0), 1000);
  attempts.end('bob', 0, true);
  assert.equal(attempts.waitMs('bob', 0), 0);
  attempts.end('bob', 0, false);
  fail(attempts, 'bob', 0);
  assert.equal(attempts.waitMs('bob', 0), 60_000);
});

test('the table is bounded: the key that was counted longest ago makes place', () => {
  const attempts = new Attempts(1, 1_000_000, 100);
  fail(attempts, 'bob', 0);
  for (let n = 0; n < 10_000; n++) {
    fail(attempts, `user-${n}`, n);
    if (n % 50 === 0) fail(attempts, 'bob', n); // Who is tried again and again is not forgotten.
  }
  assert.equal(attempts.size, 100);
  assert.ok(attempts.waitMs('bob', 10_000) > 0);
  assert.ok(attempts.waitMs('user-9999', 10_000) > 0);
  assert.equal(attempts.waitMs('user-1', 10_000), 0);
});

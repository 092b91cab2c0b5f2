import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { isOfStorm, waitAfterClose, waitAfterRefusal } from './return-wait.ts';

const half = () => 0.5;

test('a wait that the server names is kept, another one is random, and a final close is final', () => {
  for (const code of [1001, 1012, 4012])
    assert.equal(waitAfterClose(code, encodeReconnectReason(1_234), half), 1_234);
  for (const code of [1006, 1013, 4008]) assert.equal(waitAfterClose(code, '', half), 250);
  for (const code of [1000, 1003, 1007, 1008, 1009]) assert.equal(waitAfterClose(code, '', half), undefined);
});

test('the wait after refusals doubles, keeps Retry-After, and a refused request is not repeated', () => {
  const waits = [0, 1, 2, 20].map((attempt) => waitAfterRefusal('ECONNREFUSED', undefined, attempt, half));
  assert.deepEqual(waits, [250, 500, 1_000, 15_000]);
  assert.equal(waitAfterRefusal('503', 2_000, 0, half), 2_250);
  assert.equal(waitAfterRefusal('429', 2_000, 0, half), 2_250);
  for (const why of ['400', '403', '404']) assert.equal(waitAfterRefusal(why, undefined, 0, half), undefined);
});

test('a storm takes exactly its share, spread evenly', () => {
  const users = Array.from({ length: 1000 }, (_, user) => user);
  for (const share of [0, 0.01, 0.25, 0.5, 1])
    assert.equal(users.filter((user) => isOfStorm(user, share)).length, share * 1000);
  assert.equal(users.slice(0, 100).filter((user) => isOfStorm(user, 0.25)).length, 25);
});

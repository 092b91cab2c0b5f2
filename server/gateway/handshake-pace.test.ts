import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HandshakePace } from './handshake-pace.ts';

test('who comes within the pace begins at once, the others in their order and not sooner than the pace', async () => {
  const pace = new HandshakePace(50);
  const beganMs = performance.now();
  const begun: number[] = [];
  const all = Promise.withResolvers<void>();
  for (let number = 0; number < 12; number++) {
    if (pace.take()) begun.push(number);
    else assert.ok(pace.wait(() => begun.push(number) === 12 && all.resolve()));
  }
  assert.ok(begun.length > 0 && begun.length <= 4, `${begun}`);
  assert.equal(pace.waiting, 12 - begun.length);
  await all.promise;
  assert.deepEqual(
    begun,
    Array.from({ length: 12 }, (_, number) => number),
  );
  assert.ok(performance.now() - beganMs > 150, `${performance.now() - beganMs} ms`);
  assert.equal(pace.waiting, 0);
});

test('nobody begins before those who wait, and no more wait than begin in a second', () => {
  const pace = new HandshakePace(2);
  assert.ok(pace.take());
  const begun: string[] = [];
  const wait = (name: string) => pace.wait(() => begun.push(name));
  assert.deepEqual(['a', 'b', 'c'].map(wait), [true, true, false]);
  assert.equal(pace.take(), false);
  pace.end();
  assert.deepEqual(begun, ['a', 'b']);
  assert.equal(pace.waiting, 0);
});

test('without a limit nobody waits', async () => {
  const pace = new HandshakePace(Number.POSITIVE_INFINITY);
  for (let number = 0; number < 1000; number++) assert.ok(pace.take());
  await sleep(1);
  assert.ok(pace.take());
});

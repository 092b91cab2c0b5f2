import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from './refusal.ts';
import { UploadSlots } from './upload-slots.ts';

const bounds = {
  mediaUploadsMax: 3,
  mediaUserUploadsMax: 2,
  mediaUserDayBytesMax: 100,
  mediaFreeBytesMin: 1_000,
};
const dayMs = 86_400_000;

/** The status of a refusal; undefined where the place was given. */
function statusOf(take: () => unknown): number | undefined {
  try {
    take();
  } catch (error) {
    assert.ok(error instanceof Refusal);
    return error.status;
  }
}

test('uploads at a time are bounded, of all and of each user; a place that is released is free', () => {
  const slots = new UploadSlots(bounds);
  const take = (path: string, user: string) => slots.take(path, user, 1, 10_000, 0);
  const first = take('a', 'ann');
  assert.equal(
    statusOf(() => take('a', 'bob')),
    503,
    'the address is in use',
  );
  take('b', 'ann');
  assert.equal(
    statusOf(() => take('c', 'ann')),
    429,
  );
  take('c', 'bob');
  assert.equal(
    statusOf(() => take('d', 'bob')),
    503,
  );
  first.release(1);
  assert.equal(slots.size, 2);
  assert.equal(
    statusOf(() => take('a', 'ann')),
    undefined,
  );
});

test('a user pays for the bytes that came, for a day', () => {
  const slots = new UploadSlots(bounds);
  const take = (bytes: number, nowMs: number) => slots.take('a', 'ann', bytes, 10_000, nowMs);
  take(90, 5).release(0);
  take(100, 5).release(60);
  assert.equal(
    statusOf(() => take(41, 5)),
    429,
  );
  take(40, 5).release(40);
  assert.equal(
    statusOf(() => take(1, dayMs - 1)),
    429,
  );
  const overnight = take(100, dayMs);
  assert.equal(
    statusOf(() => slots.take('b', 'ann', 1, 10_000, dayMs)),
    429,
  );
  slots.take('c', 'bob', 1, 10_000, 2 * dayMs);
  overnight.release(100);
  assert.equal(
    statusOf(() => take(100, 2 * dayMs)),
    undefined,
    'yesterday is paid',
  );
});

test('the reserve of the disk holds for all that uploads under way have announced', () => {
  const slots = new UploadSlots(bounds);
  const first = slots.take('a', 'ann', 60, 1_100, 0);
  assert.equal(
    statusOf(() => slots.take('b', 'bob', 41, 1_100, 0)),
    507,
  );
  slots.take('b', 'bob', 40, 1_100, 0).release(40);
  first.release(60);
  assert.equal(
    statusOf(() => slots.take('b', 'eve', 100, 1_100, 0)),
    undefined,
  );
});

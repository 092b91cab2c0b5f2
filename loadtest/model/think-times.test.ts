import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueTimes } from './due-times.ts';
import { newCursor, type ThinkSettings } from './think-times.ts';

const settings: ThinkSettings = {
  ...{ clients: 50, rooms: 3, thinkSeconds: [2, 6], seed: 7, arrival: 'constant', ratePerSecond: 12.5 },
  ...{ rampUs: 1e6, endUs: 200e6 },
};
const forever = Number.POSITIVE_INFINITY;

function walk(changes: Partial<ThinkSettings> = {}) {
  const all: { room: number; number: number; dueUs: number }[] = [];
  for (const cursor = newCursor({ ...settings, ...changes }); !cursor.ended; cursor.advance())
    all.push({ room: cursor.room, number: cursor.number, dueUs: cursor.dueUs });
  return all;
}

test('all messages are in the order of their due times, each once, and a receiver knows the same times', () => {
  const all = walk();
  const times = new DueTimes(settings);
  assert.equal(new Set(all.map(({ room, number }) => `${room}/${number}`)).size, all.length);
  for (const [index, { room, number, dueUs }] of all.entries()) {
    assert.ok(index === 0 || dueUs >= all[index - 1]!.dueUs);
    assert.equal(times.dueUs(room, number, forever), dueUs);
    assert.equal(times.dueUs(room, number, dueUs - 1), -1);
  }
  assert.equal(times.dueUs(0, 2 ** 30 - 1, 1e6), -1);
  assert.deepEqual(walk(), all);
  assert.notDeepEqual(walk({ seed: 8 }), all);
});

test('each user waits for a time of the range between its messages, with its mean', () => {
  const size = 17;
  const byUser = new Map<number, number[]>();
  for (const { room, number, dueUs } of walk())
    if (room === 1) byUser.set(number % size, [...(byUser.get(number % size) ?? []), dueUs]);
  assert.equal(byUser.size, size);
  const waits = [...byUser.values()].flatMap((due) => due.slice(1).map((at, i) => (at - due[i]!) / 1e6));
  assert.ok(Math.min(...waits) >= 2 && Math.max(...waits) <= 6);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  assert.ok(mean > 3.8 && mean < 4.2, `${mean} s`);
  assert.ok(Math.min(...waits) < 2.2 && Math.max(...waits) > 5.8);
});

test('the rate is even from the first second on', () => {
  const all = walk({ clients: 20_000, rooms: 1, endUs: 8e6 });
  const perSecond = Array.from(
    { length: 8 },
    (_, second) => all.filter(({ dueUs }) => Math.floor(dueUs / 1e6) === second).length,
  );
  for (const messages of perSecond) assert.ok(messages > 4700 && messages < 5300, perSecond.join());
});

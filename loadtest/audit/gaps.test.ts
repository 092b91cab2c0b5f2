import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gaps } from './gaps.ts';
import { RoomAudit } from './room-audit.ts';

/** Two senders: even numbers and odd ones. Message n is due at n µs. */
function newGaps() {
  const time = { nowUs: 0 };
  const audit = new RoomAudit(2, 2);
  const gaps = new Gaps((_room, number) => (number <= time.nowUs ? number : -1));
  const hear = (member: number, ...numbers: number[]) => {
    for (const number of numbers) audit.mark(member, number);
  };
  const excused = (fromUs = 0) => {
    const { numbers, users } = gaps.excused(5, audit, fromUs);
    return Object.fromEntries([...numbers].map((number, i) => [number, users[i]]).sort());
  };
  return { time, audit, gaps, hear, excused };
}

test('a gap excuses the messages after the last one of each sender that were due by then', () => {
  const { time, audit, gaps, hear, excused } = newGaps();
  hear(0, 0, 1, 2, 4);
  time.nowUs = 8;
  gaps.add(5, audit, 0);
  time.nowUs = 20;
  assert.deepEqual(excused(), { 3: 1, 5: 1, 6: 1, 7: 1, 8: 1 });
  assert.deepEqual(excused(6), { 6: 1, 7: 1, 8: 1 });
  assert.deepEqual([...gaps.membersOf(5)], [0]);
});

test('it does not excuse what is missing before the user left, nor after the first one that came', () => {
  const { time, audit, gaps, hear, excused } = newGaps();
  hear(0, 0, 4); // 2 was lost before.
  time.nowUs = 12;
  gaps.add(5, audit, 0);
  time.nowUs = 20;
  hear(0, 8, 12); // 10 was lost after.
  assert.deepEqual(excused(), { 1: 1, 3: 1, 5: 1, 7: 1, 9: 1, 11: 1, 6: 1 });
});

test('two gaps of one user excuse a message once, gaps of two users twice', () => {
  const { time, audit, gaps, excused } = newGaps();
  time.nowUs = 1;
  gaps.add(5, audit, 0);
  time.nowUs = 2;
  gaps.add(5, audit, 0);
  gaps.add(5, audit, 1);
  assert.deepEqual(excused(), { 0: 2, 1: 2, 2: 2 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Schedule, type ScheduleSettings } from './schedule.ts';

function walk(settings: ScheduleSettings): { dueUs: number; room: number; number: number }[] {
  const due = [];
  for (const schedule = new Schedule(settings); !schedule.ended; schedule.advance())
    due.push({ dueUs: schedule.dueUs, room: schedule.room, number: schedule.number });
  return due;
}

const base = { ratePerSecond: 1000, arrival: 'constant', rooms: 1, seed: 1, rampUs: 0, endUs: 10e6 } as const;

test('a constant schedule is due at n/rate from the beginning, without drift', () => {
  const due = walk({ ...base, ratePerSecond: 3 });
  assert.equal(due.length, 30);
  const firstDueUs = due.slice(0, 4).map((message) => message.dueUs);
  assert.deepEqual(firstDueUs, [0, 333_333, 666_666, 1_000_000]);
  assert.equal(due.at(-1)!.dueUs, Math.floor((29 * 1e6) / 3));
});

test('a ramp climbs evenly to the rate, and the schedule goes on at it to the microsecond', () => {
  const rampUs = 2e6;
  const due = walk({ ...base, rampUs }).map((message) => message.dueUs);
  const until = (us: number) => due.filter((dueUs) => dueUs < us).length;
  assert.equal(until(1e6), 250, 'a quarter of the ramp’s messages in its first half');
  assert.equal(until(2e6), 1000, 'half of what the rate would have been');
  assert.equal(due.length, 9000);
  for (let n = 1000; n < 9000; n++) assert.equal(due[n], 2e6 + (n - 1000) * 1000);
  const gaps = due.slice(1).map((dueUs, n) => dueUs - due[n]!);
  assert.ok(gaps.every((gap, n) => n === 0 || gap <= gaps[n - 1]! + 1));
});

test('rooms take turns in a constant schedule, each counting its own messages', () => {
  const due = walk({ ...base, rooms: 3, endUs: 7000 }).map(({ room, number }) => `${room}:${number}`);
  assert.deepEqual(due, ['0:0', '1:0', '2:0', '0:1', '1:1', '2:1', '0:2']);
});

test('the same seed gives the same Poisson schedule, another seed another one', () => {
  const poisson = { ...base, arrival: 'poisson', rooms: 4 } as const;
  assert.deepEqual(walk(poisson), walk(poisson));
  assert.notDeepEqual(walk(poisson), walk({ ...poisson, seed: 2 }));
});

test('Poisson arrivals have the given rate and exponential gaps, in each room too', () => {
  for (const seed of [1, 2, 3]) {
    const due = walk({ ...base, arrival: 'poisson', rooms: 4, seed, endUs: 100e6 });
    // 100,000 messages: four standard deviations are 1.3 %, and of a room's 25,000 they are 2.5 %.
    assert.ok(Math.abs(due.length / 100_000 - 1) < 0.013, `${due.length} messages`);
    for (let room = 0; room < 4; room++) {
      const own = due.filter((message) => message.room === room);
      assert.deepEqual(own.at(-1)!.number, own.length - 1);
      const gaps = own.slice(1).map((message, i) => message.dueUs - own[i]!.dueUs);
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
      const longer = gaps.filter((gap) => gap > mean).length / gaps.length;
      assert.ok(Math.abs(mean / 4000 - 1) < 0.03, `mean gap ${mean} µs`);
      // Of an exponential distribution, 1/e lies above its mean.
      assert.ok(Math.abs(longer - Math.exp(-1)) < 0.015, `${longer} of the gaps are longer than the mean`);
    }
  }
});

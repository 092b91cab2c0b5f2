import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueTimes } from './due-times.ts';
import { Schedule } from './schedule.ts';

const base = { ratePerSecond: 700, rooms: 3, seed: 5, rampUs: 1e6, endUs: 4e6 } as const;
const forever = Number.POSITIVE_INFINITY;

test('each message is due when its schedule says so, asked for in any order', () => {
  for (const arrival of ['constant', 'poisson'] as const) {
    const settings = { ...base, arrival };
    const times = new DueTimes(settings);
    const due: [room: number, number: number, dueUs: number][] = [];
    for (const schedule = new Schedule(settings); !schedule.ended; schedule.advance())
      due.push([schedule.room, schedule.number, schedule.dueUs]);
    assert.ok(due.length > 2000);
    for (const [room, number, dueUs] of [...due.slice(1000), ...due])
      assert.equal(times.dueUs(room, number, dueUs), dueUs);
  }
});

test('a message that is not of the schedule, or not due yet, has no time', () => {
  for (const arrival of ['constant', 'poisson'] as const) {
    const times = new DueTimes({ ...base, arrival });
    const tenthUs = times.dueUs(0, 10, forever);
    assert.equal(times.dueUs(0, 10, tenthUs - 1), -1);
    assert.equal(times.dueUs(0, 2 ** 30 - 1, 2e6), -1);
    assert.equal(times.dueUs(0, 2 ** 30 - 1, forever), -1);
    assert.equal(times.dueUs(3, 0, forever), -1);
    assert.ok(times.dueUs(2, 0, forever) >= 0);
  }
});

test('a number far ahead costs no more than the time that has passed', () => {
  const times = new DueTimes({ ...base, ratePerSecond: 1e6, arrival: 'poisson', endUs: 8.64e10 });
  assert.equal(times.dueUs(0, 2 ** 30 - 1, 1000), -1);
});

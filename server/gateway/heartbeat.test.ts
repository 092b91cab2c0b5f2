import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHeartbeat } from './heartbeat.ts';

const fakeSession = (answers: boolean) => ({
  open: true,
  reading: true,
  alive: true,
  pings: 0,
  ping() {
    this.pings++;
    this.alive = answers;
  },
});

test('every session is pinged once per interval, and one that does not answer is found after two', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sessions = Array.from({ length: 100 }, (_, i) => fakeSession(i !== 42));
  const dead: unknown[] = [];
  const stop = startHeartbeat(new Set(sessions), 1600, (session) => dead.push(session));
  for (let tick = 0; tick < 16; tick++) t.mock.timers.tick(100);
  assert.deepEqual(new Set(sessions.map(({ pings }) => pings)), new Set([1]));
  assert.deepEqual(dead, []);
  for (let tick = 0; tick < 16; tick++) t.mock.timers.tick(100);
  assert.deepEqual(dead, [sessions[42]]);
  stop();
});

test('a session that is not read is not pinged, and does not count as dead for a pong that nobody read', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const session = fakeSession(false);
  const dead: unknown[] = [];
  const stop = startHeartbeat(new Set([session]), 1600, (one) => dead.push(one));
  t.mock.timers.tick(100);
  assert.equal(session.pings, 1);
  session.reading = false;
  for (let tick = 0; tick < 64; tick++) t.mock.timers.tick(100);
  assert.deepEqual(dead, []);
  assert.equal(session.pings, 1);
  session.reading = true;
  for (let tick = 0; tick < 32; tick++) t.mock.timers.tick(100);
  assert.deepEqual(dead[0], session);
  stop();
});

test('sessions that leave during an interval do not make it pass over others', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sessions = new Set(Array.from({ length: 160 }, () => fakeSession(false)));
  const stop = startHeartbeat(sessions, 1600, (session) => sessions.delete(session));
  for (let tick = 0; tick < 32; tick++) t.mock.timers.tick(100);
  assert.equal(sessions.size, 0);
  stop();
});

test('a peer has half an interval to answer, however many come after its ping', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sessions = new Set(Array.from({ length: 16 }, () => fakeSession(true)));
  const pingedAt = new Map<unknown, number>();
  const deadAfter: number[] = [];
  let tick = 0;
  const stop = startHeartbeat(sessions, 1600, (session) => {
    sessions.delete(session);
    deadAfter.push(tick - pingedAt.get(session)!);
  });
  for (; tick < 64; tick++) {
    if (tick === 9)
      for (let count = 0; count < 300; count++) {
        const silent = { ...fakeSession(false), ping: () => void pingedAt.set(silent, tick) };
        sessions.add(silent);
      }
    t.mock.timers.tick(100);
  }
  assert.equal(sessions.size, 16);
  assert.equal(deadAfter.length, 300);
  assert.ok(Math.min(...deadAfter) >= 8, `${Math.min(...deadAfter)} ticks`);
  stop();
});

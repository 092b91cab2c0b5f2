import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHeartbeat } from './heartbeat.ts';

const fakeSession = (answers: boolean) => ({
  open: true,
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

test('sessions that leave during an interval do not make it pass over others', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sessions = new Set(Array.from({ length: 160 }, () => fakeSession(false)));
  const stop = startHeartbeat(sessions, 1600, (session) => sessions.delete(session));
  for (let tick = 0; tick < 32; tick++) t.mock.timers.tick(100);
  assert.equal(sessions.size, 0);
  stop();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHeartbeat } from './heartbeat.ts';
import type { Session } from './session.ts';

function fakeSession(answers: boolean) {
  const session = {
    open: true,
    alive: true,
    pings: 0,
    ws: {
      ping: () => {
        session.pings++;
        if (answers) session.alive = true;
      },
    },
  };
  return session;
}

test('every session is pinged once per interval, and the one that does not answer is found after two', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const people = Array.from({ length: 100 }, (_, i) => fakeSession(i !== 42));
  const dead: unknown[] = [];
  const stop = startHeartbeat(new Set(people) as unknown as Set<Session>, 1600, (session) =>
    dead.push(session),
  );
  for (let tick = 0; tick < 16; tick++) t.mock.timers.tick(100);
  assert.deepEqual(new Set(people.map(({ pings }) => pings)), new Set([1]));
  assert.deepEqual(dead, []);
  for (let tick = 0; tick < 16; tick++) t.mock.timers.tick(100);
  assert.deepEqual(dead, [people[42]]);
  stop();
});

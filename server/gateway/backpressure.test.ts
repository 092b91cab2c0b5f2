import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backpressure } from './backpressure.ts';

const fakeSession = () => ({
  reading: true,
  pause() {
    this.reading = false;
  },
  resume() {
    this.reading = true;
  },
});

test('who publishes while the chat is congested is read again when it is over, in order and in portions', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const chat = { congested: true };
  const resumed: unknown[] = [];
  const backpressure = new Backpressure<ReturnType<typeof fakeSession>>(chat, (session) =>
    resumed.push(session),
  );
  const sessions = Array.from({ length: 100 }, fakeSession);
  for (const session of sessions) assert.equal(backpressure.hold(session), true);
  assert.equal(backpressure.hold(sessions[0]!), false);
  t.mock.timers.tick(1000);
  assert.deepEqual(
    sessions.filter(({ reading }) => reading),
    [],
  );
  chat.congested = false;
  t.mock.timers.tick(10);
  const portion = resumed.length;
  assert.ok(portion > 0 && portion < sessions.length, `${portion}`);
  chat.congested = true; // What the first ones sent was enough.
  t.mock.timers.tick(1000);
  assert.equal(resumed.length, portion);
  chat.congested = false;
  t.mock.timers.tick(1000);
  assert.deepEqual(resumed, sessions);
});

test('a session that is over is not touched any more', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const chat = { congested: true };
  const backpressure = new Backpressure<ReturnType<typeof fakeSession>>(chat, () => assert.fail());
  const session = fakeSession();
  backpressure.hold(session);
  backpressure.forget(session);
  chat.congested = false;
  t.mock.timers.tick(1000);
  assert.equal(session.reading, false);
});

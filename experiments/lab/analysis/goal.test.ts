import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../input-error.ts';
import { parseGoal } from './goal.ts';

test('a goal says sessions, messages per room or per session, and may say rooms and payload', () => {
  assert.deepEqual(parseGoal('1M sessions, 1 message/s per room of 100'), {
    sessions: 1_000_000,
    messagesPerSecond: 1,
    per: 'room',
    roomSize: 100,
    payloadBytes: null,
  });
  assert.deepEqual(parseGoal(' 2.5k  sessions, 0.1 messages/s per session in rooms of 1k, 512 B'), {
    sessions: 2500,
    messagesPerSecond: 0.1,
    per: 'session',
    roomSize: 1000,
    payloadBytes: 512,
  });
  assert.equal(parseGoal('10 sessions, 3 messages/s per session').roomSize, null);
});

test('anything else is refused in one sentence with what was given', () => {
  for (const text of [
    '',
    'a lot',
    '1M sessions',
    '1G sessions, 1 message/s per room of 100',
    '1M sessions, 1 message/s',
    '-5 sessions, 1 message/s per room of 1',
    '0 sessions, 1 message/s per session',
    '1.5 sessions, 1 message/s per session',
    '10 sessions, 0 messages/s per session',
    '10 sessions, 1 message/s per room of 0',
    '10 sessions, 1 message/s per room of 11',
    '10 sessions, 1 message/s per room of 2, 0 B',
    '10 sessions, 1 message/s per room of 2, 100 kB',
  ])
    assert.throws(
      () => parseGoal(text),
      (error: Error) => {
        assert.ok(error instanceof InputError);
        assert.ok(error.message.startsWith('Give a goal such as '));
        assert.ok(error.message.endsWith(`; given ${text}.`));
        assert.ok(!error.message.includes('\n'));
        return true;
      },
    );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overdue } from './overdue.ts';

function setUp() {
  const late: string[] = [];
  const messages = new Overdue<string>(800, (session) => late.push(session));
  const ticks = (count: number) => {
    for (let tick = 0; tick < count; tick++) messages.tick();
  };
  return { late, messages, ticks };
}

test('a message is late once, after the ticks of its timeout, whatever pieces come meanwhile', () => {
  const { late, messages, ticks } = setUp();
  messages.begin('slow');
  ticks(4);
  messages.begin('slow');
  messages.begin('later');
  ticks(4);
  assert.deepEqual(late, []);
  ticks(1);
  assert.deepEqual(late, ['slow']);
  ticks(4);
  assert.deepEqual(late, ['slow', 'later']);
});

test('a finished message starts the time of the next one anew, and an ended session is never late', () => {
  const { late, messages, ticks } = setUp();
  for (let turn = 0; turn < 5; turn++) {
    messages.begin('sender');
    ticks(5);
    messages.end('sender');
    messages.begin('sender');
  }
  messages.end('sender');
  ticks(20);
  assert.deepEqual(late, []);
});

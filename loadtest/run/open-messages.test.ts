import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Messages, OpenMessages } from '../users/step-audit.ts';
import { settle } from './open-messages.ts';

const numbers = (...list: number[]) => Int32Array.from(list);
const nothing: OpenMessages = { excused: [], unsent: [], unconfirmed: [], peopleWithGaps: 0 };

test('a message that nobody heard was never published; others are excused only where they were sent', async () => {
  const reports: OpenMessages[] = [
    {
      ...nothing,
      unsent: [{ room: 0, numbers: numbers(7) }],
      unconfirmed: [{ room: 0, numbers: numbers(5, 6, 7) }],
      excused: [{ room: 0, numbers: numbers(5, 6, 8), users: numbers(2, 3, 4) }],
    },
    { ...nothing, excused: [{ room: 0, numbers: numbers(6, 7), users: numbers(1, 9) }] },
  ];
  let asked: Messages[] = [];
  const settled = await settle(reports, Uint32Array.of(10), async (messages) => {
    asked = messages;
    return [{ room: 0, numbers: numbers(6) }];
  });
  assert.deepEqual(asked, [{ room: 0, numbers: numbers(5, 6) }]);
  assert.deepEqual(settled, { missed: 3 + 4 + 1, unpublished: 1, unpublishedDeliveries: 10 });
});

test('nobody is asked where nothing is open', async () => {
  const settled = await settle([nothing], Uint32Array.of(10), () => Promise.reject(new Error('asked')));
  assert.deepEqual(settled, { missed: 0, unpublished: 0, unpublishedDeliveries: 0 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveWorkload } from './resolve.ts';
import { defaultWorkload, type Workload } from './workload.ts';

test('ten users of a room send, more where each would send too fast, and never more than there are', () => {
  const senders = (changes: Partial<Workload>) =>
    resolveWorkload({ ...defaultWorkload, clients: 1000, ...changes }, 1).sendersPerRoom;
  assert.equal(senders({ ratePerSecond: 500 }), 10);
  assert.equal(senders({ ratePerSecond: 12_000 }), 240);
  assert.equal(senders({ ratePerSecond: 12_000, rooms: 10 }), 24);
  assert.equal(senders({ ratePerSecond: 1_000_000 }), 1000);
  assert.equal(senders({ clients: 4 }), 4);
  assert.equal(senders({ sendersPerRoom: 7, ratePerSecond: 12_000 }), 7);
});

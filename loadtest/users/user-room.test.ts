import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reference } from '../audit/reference.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { beginStepIn, newRoom } from './user-room.ts';
import { type UserState, VirtualUser } from './virtual-user.ts';

const workload = { clients: 4, rooms: 1, sendersPerRoom: 2, order: 'per-sender' } as ResolvedWorkload;
const ignore = () => {};
const newReference = () => new Reference({ bytesMax: 4096, forget: ignore });
const events = { opened: ignore, refused: ignore, closed: ignore, received: ignore };

test('users who share an order share it in the next step too; who is away takes no reference along', () => {
  const room = newRoom(workload, 0, 4, false);
  const states: readonly UserState[] = ['open', 'open', 'open', 'closed'];
  for (const [index, state] of states.entries()) {
    const user = new VirtualUser(index, room, index, 1024, events);
    user.state = state;
    room.users.push(user);
  }
  const { references } = room.interleavings;
  const [second, third] = [newReference(), newReference()];
  references.push(second, third);
  const [one, two, three, away] = room.users;
  two!.reference = second;
  three!.reference = second;
  away!.reference = third;
  beginStepIn(room, workload, false);
  assert.equal(references.length, 2);
  assert.deepEqual(
    [one, two, three, away].map((user) => references.indexOf(user!.reference)),
    [0, 1, 1, 0],
  );
});

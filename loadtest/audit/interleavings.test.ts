import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interleavings } from './interleavings.ts';
import { Reference } from './reference.ts';

const newReference = () => new Reference({ bytesMax: 4096, forget: () => {} });
const frame = Buffer.alloc(64);
const add = (reference: Reference, number: number) =>
  reference.append(frame, 0, 64, 0, { runId: 2, room: 0, number, dueUs: 0, lagUs: 0 }, 0);

/** Three references: the same messages, in another order each. */
function threeOrders() {
  const room = new Interleavings(8, newReference);
  room.references.push(newReference(), newReference());
  for (const [order, reference] of room.references.entries())
    for (let number = 0; number < 30; number++) add(reference, (number * [1, 7, 11][order]!) % 30);
  return room;
}

test('a step that begins keeps the references that are used, without their frames', () => {
  const room = threeOrders();
  const [, second, third] = room.references;
  room.restart(new Set([third!, second!]));
  assert.deepEqual(room.references, [second, third]);
  for (const { next, oldest } of room.references) assert.deepEqual({ next, oldest }, { next: 0, oldest: 0 });
  assert.equal(second!.find(7), -1);
});

test('where nobody uses a reference one remains', () => {
  const room = threeOrders();
  const [first] = room.references;
  room.restart(new Set());
  assert.deepEqual(room.references, [first]);
  assert.equal(first!.next, 0);
});

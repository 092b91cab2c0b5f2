import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Plan,
  senderOf,
  sendersOfRoom,
  sourceAddressOf,
  stalledReadersOfWorker,
  urlOf,
  usersOfRoom,
  usersOfWorker,
} from './assignment.ts';

const anyPlan = fc
  .record({
    clients: fc.integer({ min: 1, max: 500 }),
    rooms: fc.integer({ min: 1, max: 50 }),
    workers: fc.integer({ min: 1, max: 9 }),
    stalledReaders: fc.nat(20),
    sendersPerRoom: fc.integer({ min: 1, max: 20 }),
  })
  .filter(({ clients, rooms, workers }) => rooms <= clients && workers <= clients)
  .map(
    (numbers) =>
      ({
        ...numbers,
        urls: ['ws://h:1/ws', 'ws://h:2/ws'],
        sourceAddresses: ['127.0.0.1', '127.0.0.2'],
      }) as unknown as Plan,
  );

test('rooms and workers each share out all users, none twice, and fairly', () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      for (const [parts, of, amount] of [
        [plan.rooms, usersOfRoom, plan.clients],
        [plan.workers, usersOfWorker, plan.clients],
        [plan.workers, stalledReadersOfWorker, plan.stalledReaders],
      ] as const) {
        const ranges = Array.from({ length: parts }, (_, part) => of(plan, part));
        for (const [i, { from }] of ranges.entries()) assert.equal(from, i === 0 ? 0 : ranges[i - 1]!.to);
        assert.equal(ranges.at(-1)!.to, amount);
        const sizes = ranges.map(({ from, to }) => to - from);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }
    }),
  );
});

test('the senders of a room take turns and belong to it', () => {
  fc.assert(
    fc.property(anyPlan, fc.nat(), fc.nat(1000), (plan, anyRoom, number) => {
      const room = anyRoom % plan.rooms;
      const { from, to } = usersOfRoom(plan, room);
      const sender = senderOf(plan, room, number);
      assert.ok(sender >= from && sender < to);
      assert.equal(senderOf(plan, room, number + sendersOfRoom(plan, room)), sender);
    }),
  );
});

test('connections spread over all pairs of source address and target', () => {
  const plan = {
    urls: ['ws://h:1/ws', 'ws://h:2/ws'],
    sourceAddresses: ['a', 'b'],
    rooms: 1,
  } as unknown as Plan;
  const pairs = [0, 1, 2, 3].map((i) => `${sourceAddressOf(plan, i)} ${urlOf(plan, i, 0).port}`);
  assert.deepEqual(pairs, ['a 1', 'a 2', 'b 1', 'b 2']);
  assert.equal(sourceAddressOf({ ...plan, sourceAddresses: [] }, 0), undefined);
});

test('with one room the URL is used as given, with more the room is in the path', () => {
  const plan = { urls: ['ws://h:1/ws?x=1'], sourceAddresses: [], rooms: 1 } as unknown as Plan;
  assert.equal(urlOf(plan, 0, 0).href, 'ws://h:1/ws?x=1');
  assert.equal(urlOf({ ...plan, rooms: 2 }, 0, 1).href, 'ws://h:1/ws/load-1?x=1');
});

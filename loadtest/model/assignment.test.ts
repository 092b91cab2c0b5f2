import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultWorkload, type ResolvedWorkload } from '../workload.ts';
import {
  type Assignment,
  endpointOf,
  senderOf,
  sendersOfRoom,
  stalledReadersOfWorker,
  usersOfRoom,
  usersOfWorker,
} from './assignment.ts';

const resolved: ResolvedWorkload = { ...defaultWorkload, workers: 1, sendersPerRoom: 1 };
/** Of all users, those that send. */
function sendersIn(workload: ResolvedWorkload, room: number): number[] {
  return Array.from({ length: sendersOfRoom(workload, room) }, (_, number) =>
    senderOf(workload, room, number),
  );
}

const anyWorkload = fc
  .record({
    clients: fc.integer({ min: 1, max: 500 }),
    rooms: fc.integer({ min: 1, max: 50 }),
    workers: fc.integer({ min: 1, max: 9 }),
    stalledReaders: fc.nat(20),
    sendersPerRoom: fc.integer({ min: 1, max: 20 }),
  })
  .filter(({ clients, rooms, workers }) => rooms <= clients && workers <= clients)
  .map((numbers): ResolvedWorkload => ({ ...resolved, ...numbers }));

function assignmentOf(changes: Partial<ResolvedWorkload>): Assignment {
  const workload = { ...resolved, ...changes };
  const addresses = workload.urls.map((_, i) => ({ address: '127.0.0.1', port: i + 1 }));
  return { workload, firstRunId: 0, seal: [1, 2], addresses, headers: {} };
}

test('rooms and workers each get all users, none twice, in equal shares', () => {
  fc.assert(
    fc.property(anyWorkload, (workload) => {
      for (const [parts, of, amount] of [
        [workload.rooms, usersOfRoom, workload.clients],
        [workload.workers, usersOfWorker, workload.clients],
        [workload.workers, stalledReadersOfWorker, workload.stalledReaders],
      ] as const) {
        const ranges = Array.from({ length: parts }, (_, part) => of(workload, part));
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
    fc.property(anyWorkload, fc.nat(), fc.nat(1000), (workload, anyRoom, number) => {
      const room = anyRoom % workload.rooms;
      const { from, to } = usersOfRoom(workload, room);
      const sender = senderOf(workload, room, number);
      assert.ok(sender >= from && sender < to);
      assert.equal(senderOf(workload, room, number + sendersOfRoom(workload, room)), sender);
    }),
  );
});

test('a room has as many senders as asked, spread over its users and over the targets', () => {
  fc.assert(
    fc.property(anyWorkload, fc.integer({ min: 1, max: 4 }), (workload, targets) => {
      const asked = { ...workload, urls: Array<string>(targets).fill('ws://a/ws') };
      for (let room = 0; room < asked.rooms; room++)
        assert.equal(new Set(sendersIn(asked, room)).size, sendersOfRoom(asked, room));
    }),
  );
  const crowd = { ...resolved, clients: 1000, sendersPerRoom: 10, urls: ['ws://a/ws', 'ws://b/ws'] };
  assert.deepEqual(sendersIn(crowd, 0), [0, 101, 200, 301, 400, 501, 600, 701, 800, 901]);
  assert.deepEqual(sendersIn({ ...crowd, clients: 5 }, 0), [0, 1, 2, 3, 4]);
});

test('connections spread over all pairs of source address and target', () => {
  const assignment = assignmentOf({ urls: ['ws://h:1/ws', 'ws://h:2/ws'], sourceAddresses: ['a', 'b'] });
  const endpoints = [0, 1, 2, 3].map((connection) => endpointOf(assignment, connection, 0));
  const pairs = endpoints.map(({ sourceAddress, url, port }) => `${sourceAddress} ${url.port} ${port}`);
  assert.deepEqual(pairs, ['a 1 1', 'a 2 2', 'b 1 1', 'b 2 2']);
  assert.equal(endpointOf(assignmentOf({ sourceAddresses: [] }), 0, 0).sourceAddress, undefined);
});

test('with one room the URL is used as given, with more the room is in the path', () => {
  const urls = ['ws://h:1/ws?x=1'];
  assert.equal(endpointOf(assignmentOf({ urls }), 0, 0).url.href, 'ws://h:1/ws?x=1');
  assert.equal(endpointOf(assignmentOf({ urls, rooms: 2 }), 0, 1).url.href, 'ws://h:1/ws/load-1?x=1');
});

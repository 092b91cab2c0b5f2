import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../ops/metrics.ts';
import { BoundedFanOut } from './bounded-fan-out.ts';
import { FakeConnection } from './fan-out.fixture.ts';
import { Member } from './member.ts';

class QueueingConnection extends FakeConnection {
  override sendText(payload: Buffer): void {
    this.write(payload);
  }
}

const options = { outboundBytesMax: 10_000, outboundTotalBytesMax: 100_000, roomsMax: 1000 };

function setUp() {
  const metrics = createMetrics('test', { sessions: () => 0, rooms: () => 0, waiting: () => 0 });
  const fanOut = new BoundedFanOut(options, metrics);
  const enter = (room: string, stalled: boolean) => {
    const connection = new QueueingConnection();
    connection.stalled = stalled;
    const member = new Member(connection, room);
    assert.equal(fanOut.join(member), undefined);
    return { connection, member };
  };
  const say = (room: string, bytes: number) => fanOut.deliver(room, Buffer.alloc(bytes, 'x'));
  return { enter, say };
}

const bytesKept = (all: readonly { connection: QueueingConnection }[]) =>
  all
    .filter(({ connection }) => connection.open)
    .reduce((sum, { connection }) => sum + connection.bufferedBytes, 0);

test('the queues of all rooms together stay within the bound, and readers that take their messages stay', () => {
  const { enter, say } = setUp();
  const rooms = Array.from({ length: 50 }, (_, number) => `room-${number}`);
  const stuck = rooms.map((room) => enter(room, true));
  const healthy = rooms.map((room) => enter(room, false));
  for (let message = 0; message < 40; message++) {
    for (const room of rooms) say(room, 1_000);
    const kept = bytesKept(stuck);
    assert.ok(
      kept <= options.outboundTotalBytesMax + 50 * 1_000,
      `${kept} bytes after ${message} messages a room`,
    );
  }
  assert.ok(stuck.every(({ connection }) => connection.closedWith === 4008));
  assert.ok(healthy.every(({ connection }) => connection.received.length === 40_000));
});

test('small messages may queue in fewer bytes, because each costs memory of its own', () => {
  const { enter, say } = setUp();
  const stuck = Array.from({ length: 10 }, (_, number) => enter(`room-${number}`, true));
  // A message of 400 bytes counts as 1,936, so all queues may hold a fifth of the bound: 51 messages.
  const sayAll = (times: number) => {
    for (let message = 0; message < times; message++)
      for (let room = 0; room < 10; room++) say(`room-${room}`, 400);
  };
  sayAll(5);
  assert.equal(bytesKept(stuck), 10 * 5 * 400);
  sayAll(5);
  assert.ok(stuck.some(({ connection }) => connection.closedWith === 4008));
  assert.ok(bytesKept(stuck) <= options.outboundTotalBytesMax / 5 + 10 * 400);
});

test('what a queue keeps of small buffers holds little of other messages', () => {
  setUp();
  const pieceBytes = Array.from({ length: 10_000 }, () => Buffer.allocUnsafe(8).buffer.byteLength);
  assert.equal(pieceBytes.at(-1), 1_024);
});

test('queues that were read since the last message of their room count no more', async () => {
  const { enter, say } = setUp();
  const quiet = Array.from({ length: 20 }, (_, number) => enter(`quiet-${number}`, true));
  for (let message = 0; message < 9; message++)
    for (let room = 0; room < 20; room++) say(`quiet-${room}`, 600);
  for (const { connection } of quiet) connection.flush();
  const { connection } = enter('busy', true);
  for (let message = 0; message < 9; message++) say('busy', 1_000);
  assert.equal(connection.closedWith, 0, 'it may queue its own bound');
});

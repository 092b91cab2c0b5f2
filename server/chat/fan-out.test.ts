import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { encodeMessage } from '#protocol';
import { MemoryBackplane } from '../backplane/memory.ts';
import { relayedChat } from './chat.ts';
import { options, setUp } from './fan-out.fixture.ts';
import type { CursorFanOut } from './fan-out.ts';
import { frameHeaderBytes } from './frame.ts';

/** Raises a message in its room a given number of times, each in a turn of its own. */
async function sayInTurns(fanOut: CursorFanOut, room: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    fanOut.deliver(room, Buffer.from('x'.repeat(100)));
    await turn();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), room: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), room: fc.nat(1) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('leave', 'stall', 'resume'), person: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);

test('every member receives the messages of its room from its join to its leave: all, once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 120 }), async (steps) => {
      const { fanOut, enter, metrics } = setUp();
      const people: (ReturnType<typeof enter> & { due: string[]; here: boolean })[] = [];
      let said = 0;
      for (const action of steps) {
        if (action.do === 'join') people.push({ ...enter(`room-${action.room}`), due: [], here: true });
        else if (action.do === 'turn') await turn();
        else if (action.do === 'say') {
          const text = `message ${said++}`;
          fanOut.deliver(`room-${action.room}`, Buffer.from(text));
          for (const person of people)
            if (person.here && person.member.room === `room-${action.room}`) person.due.push(text);
        } else if (people.length > 0) {
          const person = people[action.person % people.length]!;
          if (action.do === 'stall') person.connection.stalled = true;
          else if (action.do === 'resume') person.connection.flush();
          else if (person.here) {
            person.connection.flush();
            await settle();
            person.here = false;
            fanOut.leave(person.member);
          }
        }
      }
      for (const person of people) person.connection.flush();
      await settle();
      for (const { connection, due } of people) assert.deepEqual(connection.payloads, due);
      const counted = (await metrics.deliveries.get()).values[0]?.value ?? 0;
      assert.equal(counted, people.flatMap(({ due }) => due).length);
    }),
    { numRuns: 150 },
  );
});

test('a member that leaves in the middle of a round costs no other member its turn', async () => {
  const { fanOut, enter } = setUp();
  const people = Array.from({ length: 200 }, () => enter('room'));
  // The slice is over after 32 members: each write takes long enough.
  for (const { connection } of people) {
    const write = connection.write.bind(connection);
    connection.write = (bytes) => {
      const endAt = performance.now() + 0.1;
      while (performance.now() < endAt);
      write(bytes);
    };
  }
  fanOut.deliver('room', Buffer.from('first'));
  await turn();
  const served = people.filter(({ connection }) => connection.payloads.length > 0);
  assert.ok(served.length > 0 && served.length < 200, `${served.length} of 200 served in the first slice`);
  for (const { member } of [served[0]!, served[5]!, people.at(-1)!]) fanOut.leave(member);
  await settle();
  const stayed = people.filter(({ member }) => member.index !== -1);
  assert.equal(stayed.length, 197);
  for (const { connection } of stayed) assert.deepEqual(connection.payloads, ['first']);
});

test('a member too many segments behind is evicted with 4008 and counted, and the other receives everything', async () => {
  const { fanOut, enter, metrics } = setUp({ segmentsBehindMax: 2 });
  const stuck = enter('room');
  const healthy = enter('room');
  stuck.connection.stalled = true;
  await sayInTurns(fanOut, 'room', 500);
  await settle();
  assert.equal(stuck.connection.closedWith, 4008);
  assert.equal(healthy.connection.closedWith, 0);
  assert.equal(healthy.connection.payloads.length, 500);
  const { values } = await metrics.evictions.get();
  assert.deepEqual(values, [{ value: 1, labels: { reason: 'slow_consumer' } }]);
});

test('rooms share the bytes that stalled readers may keep alive: with more rooms each may be less behind', async () => {
  const { fanOut, enter } = setUp({ logBytesMax: 8 * options.segmentBytes });
  const fiveSegments = (5 * options.segmentBytes) / 102;
  const alone = enter('a');
  alone.connection.stalled = true;
  await sayInTurns(fanOut, 'a', fiveSegments);
  assert.equal(alone.connection.closedWith, 0, 'one room may use all eight');
  const others = ['b', 'c', 'd'].map(enter);
  for (const { connection } of others) connection.stalled = true;
  await sayInTurns(fanOut, 'b', fiveSegments);
  assert.equal(others[0]!.connection.closedWith, 4008, 'of four rooms each may use two');
});

test('the logs of many rooms, each with a stalled reader, stay within the bound of the process', async () => {
  const logBytesMax = 128 * options.segmentBytes;
  const { fanOut, enter } = setUp({ logBytesMax, roomsMax: 100, segmentBytes: 16 * options.segmentBytes });
  const rooms = Array.from({ length: 40 }, (_, number) => `room-${number}`);
  const stuck = rooms.map(enter);
  const healthy = rooms.map(enter);
  for (const { connection } of stuck) connection.stalled = true;
  for (let message = 0; message < 200; message++) {
    for (const room of rooms) fanOut.deliver(room, Buffer.alloc(100, 'x'));
    await turn();
    assert.ok(fanOut.logBytes <= logBytesMax, `${fanOut.logBytes} bytes after ${message} messages a room`);
  }
  await settle();
  assert.ok(stuck.every(({ connection }) => connection.closedWith === 4008));
  assert.ok(healthy.every(({ connection }) => connection.payloads.length === 200));
  for (const { member } of [...stuck, ...healthy]) fanOut.leave(member);
  assert.equal(fanOut.logBytes, 0);
});

test('messages that no round has brought to the members yet count too, and beyond the bound senders are refused', async () => {
  const { fanOut, enter } = setUp({ logBytesMax: 16 * options.segmentBytes });
  const backplane = new MemoryBackplane();
  const chat = relayedChat(backplane, fanOut);
  await chat.start(() => {});
  const { member, connection } = enter('room');
  const message = { clientId: 'a', Message: 'x'.repeat(100) };
  let accepted = 0;
  while (chat.publish(member, message)) accepted++;
  const payloadBytes = encodeMessage(message).length;
  const frameBytes = frameHeaderBytes(payloadBytes) + payloadBytes;
  const framesInBound = (16 * options.segmentBytes) / frameBytes;
  assert.ok(accepted > framesInBound * 0.8 && accepted < framesInBound * 1.2, `${accepted} accepted`);
  await settle();
  assert.equal(connection.received.length, accepted * frameBytes, 'what was accepted arrives');
  assert.equal(chat.publish(member, message), true, 'accepted again');
});

test('a quiet room with a large segment gives it back when the logs exceed their bound', async () => {
  const { fanOut, enter } = setUp({ logBytesMax: 32 * options.segmentBytes, segmentBytes: 64 * 1024 });
  const quiet = enter('quiet');
  await sayInTurns(fanOut, 'quiet', 400);
  await settle();
  const busy = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(enter);
  for (const { connection } of busy) connection.stalled = true;
  for (const { member } of busy) await sayInTurns(fanOut, member.room, 250);
  assert.ok(fanOut.logBytes <= 32 * options.segmentBytes, `${fanOut.logBytes} bytes`);
  await sayInTurns(fanOut, 'quiet', 3);
  await settle();
  assert.equal(quiet.connection.payloads.length, 403, 'and its member misses nothing');
});

test('a slow reader that takes written bytes is alive, even before its pong arrives', async () => {
  const { fanOut, enter } = setUp();
  const { connection } = enter('room');
  connection.stalled = true;
  fanOut.deliver('room', Buffer.from('hello'));
  await settle();
  connection.alive = false;
  await settle();
  assert.equal(connection.alive, false);
  connection.flush();
  await settle();
  assert.equal(connection.alive, true);
});

test('members at the same cursor share one view: one write each carries all pending messages', async () => {
  const { fanOut, enter, metrics } = setUp();
  const people = Array.from({ length: 10 }, () => enter('room'));
  for (let i = 0; i < 20; i++) fanOut.deliver('room', Buffer.from(`message ${i}`));
  await settle();
  assert.equal((await metrics.writes.get()).values[0]?.value, 10);
  assert.equal((await metrics.deliveries.get()).values[0]?.value, 200);
  for (const { connection } of people) assert.equal(connection.payloads.length, 20);
});

test('a write that the kernel does not take whole is counted, once, however long it takes', async () => {
  const { fanOut, enter, metrics } = setUp();
  const [stuck] = [enter('room'), enter('room')];
  stuck!.connection.stalled = true;
  await sayInTurns(fanOut, 'room', 3);
  stuck!.connection.flush();
  await settle();
  assert.equal((await metrics.partialWrites.get()).values[0]?.value, 1);
  assert.equal((await metrics.writes.get()).values[0]?.value, 5);
});

test('flush writes all that is pending, and returns false while the kernel takes nothing', async () => {
  const { fanOut, enter } = setUp();
  const { connection, member } = enter('room');
  connection.stalled = true;
  fanOut.deliver('room', Buffer.from('goodbye'));
  assert.equal(fanOut.flush(member), false);
  connection.flush();
  await settle();
  assert.equal(fanOut.flush(member), true);
  assert.deepEqual(connection.payloads, ['goodbye']);
});

test('the number of rooms is bounded, and a room that became empty is free again', () => {
  const { fanOut, enter } = setUp({ roomsMax: 1 });
  const first = enter('a');
  assert.equal(first.noPlace, undefined);
  assert.equal(enter('b').noPlace, 'rooms');
  fanOut.leave(first.member);
  assert.equal(fanOut.rooms, 0);
  assert.equal(enter('b').noPlace, undefined);
});

test('with a minimum interval, the messages of that time share one round', async () => {
  const { fanOut, enter, metrics } = setUp({ fanOutIntervalMs: 50 });
  const { connection } = enter('room');
  fanOut.deliver('room', Buffer.from('first'));
  await settle();
  fanOut.deliver('room', Buffer.from('second'));
  fanOut.deliver('room', Buffer.from('third'));
  await settle();
  assert.deepEqual(connection.payloads, ['first']);
  await sleep(60);
  await settle();
  assert.deepEqual(connection.payloads, ['first', 'second', 'third']);
  assert.equal((await metrics.writes.get()).values[0]?.value, 2);
});

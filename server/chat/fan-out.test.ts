import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { WebSocket } from 'ws';
import { Session } from '../gateway/session.ts';
import { createMetrics } from '../ops/metrics.ts';
import { CursorFanOut } from './fan-out.ts';

/** A socket whose kernel buffer can be full: while stalled it takes nothing and calls no callback. */
class FakeSocket {
  stalled = false;
  received = '';
  closedWith = 0;
  #queue: { text: string; callback?: () => void }[] = [];
  readonly ws = {
    readyState: 1,
    close: (code: number) => {
      this.closedWith = code;
      this.ws.readyState = 2;
    },
    terminate: () => {},
    once: () => {},
  };

  get writableLength(): number {
    return this.#queue.reduce((total, { text }) => total + text.length, 0);
  }

  write(bytes: Buffer, callback?: () => void): boolean {
    this.#queue.push({ text: bytes.toString('latin1'), ...(callback ? { callback } : {}) });
    if (!this.stalled) this.flush();
    return true;
  }

  flush(): void {
    this.stalled = false;
    for (const { text, callback } of this.#queue.splice(0)) {
      this.received += text;
      if (callback) process.nextTick(callback);
    }
  }

  /** Payloads heard so far; every payload of these tests is shorter than 126 bytes. */
  get heard(): string[] {
    const payloads: string[] = [];
    for (let at = 0; at < this.received.length; ) {
      const length = this.received.charCodeAt(at + 1);
      payloads.push(this.received.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return payloads;
  }
}

const options = {
  segmentBytes: 4096,
  segmentsBehindMax: 1000,
  logBytesMax: 1024 ** 3,
  fanOutSliceMs: 1,
  fanOutIntervalMs: 0,
  roomsMax: 10,
};

function setUp(overrides: Partial<typeof options> = {}) {
  const metrics = createMetrics('test', { sessions: () => 0, rooms: () => 0 });
  const fanOut = new CursorFanOut({ ...options, ...overrides }, metrics);
  const enter = (room: string) => {
    const socket = new FakeSocket();
    const session = new Session(socket.ws as unknown as WebSocket, socket as unknown as Socket, room, 1, 0);
    return { socket, session, joined: fanOut.join(session) };
  };
  return { metrics, fanOut, enter };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), room: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), room: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stall' as const), who: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), who: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);

test('every session hears what its room said between its join and its leave: all, once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 120 }), async (steps) => {
      const { fanOut, enter, metrics } = setUp();
      const people: (ReturnType<typeof enter> & { owed: string[]; here: boolean })[] = [];
      let said = 0;
      for (const action of steps) {
        if (action.do === 'join') people.push({ ...enter(`room-${action.room}`), owed: [], here: true });
        else if (action.do === 'turn') await turn();
        else if (action.do === 'say') {
          const text = `message ${said++}`;
          fanOut.deliver(`room-${action.room}`, Buffer.from(text));
          for (const person of people)
            if (person.here && person.session.room === `room-${action.room}`) person.owed.push(text);
        } else if (people.length > 0) {
          const person = people[action.who % people.length]!;
          if (action.do === 'stall') person.socket.stalled = true;
          else if (action.do === 'resume') person.socket.flush();
          else if (person.here) {
            person.socket.flush();
            await settle();
            person.here = false;
            fanOut.leave(person.session);
          }
        }
      }
      for (const person of people) person.socket.flush();
      await settle();
      let deliveries = 0;
      for (const person of people) {
        assert.deepEqual(person.socket.heard, person.owed);
        deliveries += person.owed.length;
      }
      const counted = (await metrics.deliveries.get()).values[0]?.value ?? 0;
      assert.equal(counted, deliveries);
    }),
    { numRuns: 150 },
  );
});

test('a session that leaves in the middle of a round takes nobody’s turn with it', async () => {
  const { fanOut, enter } = setUp();
  const people = Array.from({ length: 200 }, () => enter('room'));
  // The slice is over after 32 sessions: each write takes long enough.
  for (const { socket } of people) {
    const write = socket.write.bind(socket);
    socket.write = (bytes, callback) => {
      const endAt = performance.now() + 0.1;
      while (performance.now() < endAt);
      return write(bytes, callback);
    };
  }
  fanOut.deliver('room', Buffer.from('first'));
  await turn();
  const served = people.filter(({ socket }) => socket.heard.length > 0);
  assert.ok(
    served.length > 0 && served.length < people.length,
    `${served.length} of 200 served in the first slice`,
  );
  for (const { session } of [served[0]!, served[5]!, people.at(-1)!]) fanOut.leave(session);
  await settle();
  const stayed = people.filter(({ session }) => session.slot !== -1);
  assert.equal(stayed.length, 197);
  for (const { socket } of stayed) assert.deepEqual(socket.heard, ['first']);
});

test('a session too many segments behind is evicted with 4008, counted, and its neighbour hears everything', async () => {
  const { fanOut, enter, metrics } = setUp({ segmentsBehindMax: 2 });
  const stuck = enter('room');
  const healthy = enter('room');
  stuck.socket.stalled = true;
  const text = 'x'.repeat(100);
  for (let i = 0; i < 500; i++) {
    fanOut.deliver('room', Buffer.from(text));
    await turn();
  }
  await settle();
  assert.equal(stuck.socket.closedWith, 4008);
  assert.equal(healthy.socket.closedWith, 0);
  assert.equal(healthy.socket.heard.length, 500);
  assert.deepEqual((await metrics.evictions.get()).values, [
    { value: 1, labels: { reason: 'slow_consumer' } },
  ]);
});

test('rooms share what stalled readers may keep alive: with more rooms each may lag less', async () => {
  const { fanOut, enter } = setUp({ logBytesMax: 8 * options.segmentBytes });
  const text = Buffer.from('x'.repeat(100));
  const fiveSegments = (5 * options.segmentBytes) / 102;
  const alone = enter('a');
  alone.socket.stalled = true;
  for (let i = 0; i < fiveSegments; i++) {
    fanOut.deliver('a', text);
    await turn();
  }
  assert.equal(alone.socket.closedWith, 0, 'one room may use all eight');
  const others = ['b', 'c', 'd'].map(enter);
  for (const { socket } of others) socket.stalled = true;
  for (let i = 0; i < fiveSegments; i++) {
    fanOut.deliver('b', text);
    await turn();
  }
  assert.equal(others[0]!.socket.closedWith, 4008, 'of four rooms each may use two');
});

test('a slow reader that takes what was written is alive, though its pong is still behind', async () => {
  const { fanOut, enter } = setUp();
  const { socket, session } = enter('room');
  socket.stalled = true;
  fanOut.deliver('room', Buffer.from('hello'));
  await settle();
  session.alive = false;
  await settle();
  assert.equal(session.alive, false);
  socket.flush();
  await settle();
  assert.equal(session.alive, true);
});

test('sessions that stand together share one view: one write each carries all that piled up', async () => {
  const { fanOut, enter, metrics } = setUp();
  const people = Array.from({ length: 10 }, () => enter('room'));
  for (let i = 0; i < 20; i++) fanOut.deliver('room', Buffer.from(`message ${i}`));
  await settle();
  assert.equal((await metrics.writes.get()).values[0]?.value, 10);
  assert.equal((await metrics.deliveries.get()).values[0]?.value, 200);
  for (const { socket } of people) assert.equal(socket.heard.length, 20);
});

test('finish writes what is left, and says no while the kernel takes nothing', async () => {
  const { fanOut, enter } = setUp();
  const { socket, session } = enter('room');
  socket.stalled = true;
  fanOut.deliver('room', Buffer.from('goodbye'));
  assert.equal(fanOut.finish(session), false);
  socket.flush();
  await settle();
  assert.equal(fanOut.finish(session), true);
  assert.deepEqual(socket.heard, ['goodbye']);
});

test('rooms are bounded, and an empty room makes place', () => {
  const { fanOut, enter } = setUp({ roomsMax: 1 });
  const first = enter('a');
  assert.equal(first.joined, true);
  assert.equal(enter('b').joined, false);
  fanOut.leave(first.session);
  assert.equal(fanOut.rooms, 0);
  assert.equal(enter('b').joined, true);
});

test('with a minimum interval, messages of that time share one round', async () => {
  const { fanOut, enter, metrics } = setUp({ fanOutIntervalMs: 50 });
  const { socket } = enter('room');
  fanOut.deliver('room', Buffer.from('first'));
  await settle();
  fanOut.deliver('room', Buffer.from('second'));
  fanOut.deliver('room', Buffer.from('third'));
  await settle();
  assert.deepEqual(socket.heard, ['first']);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await settle();
  assert.deepEqual(socket.heard, ['first', 'second', 'third']);
  assert.equal((await metrics.writes.get()).values[0]?.value, 2);
});

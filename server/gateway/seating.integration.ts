/** Real nodes of 06-partitioned: where they seat people, when one dies, comes or leaves. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCode } from '#protocol';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ResumingPerson } from '../../testing/resuming-person.ts';
import { ServerProcess } from '../../testing/server.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const rooms = Array.from({ length: 60 }, (_, index) => `room-${index}`);
const deadlineMs = 20_000;
let chats = 0;

/** Each chat is one of its own on the same Redis. */
function newChat(...options: string[]) {
  const args = ['--redis-url', redis!.url, '--redis-namespace', `seating-${process.pid}-${chats++}`];
  return () => ServerProcess.start('06-partitioned', [...args, ...options]);
}

const hostOf = (node: ServerProcess) => new URL(node.origin).host;
const ask = (node: ServerProcess, query: string) =>
  fetch(`${node.origin.replace(/^ws/, 'http')}/connect?${query}`);

type Seat = { readonly url: string; readonly node: string; readonly partition: number };

async function seatOf(node: ServerProcess, room: string, more = ''): Promise<Seat> {
  const response = await ask(node, `room=${room}${more}`);
  assert.equal(response.status, 200);
  return (await response.json()) as Seat;
}

const seatsOf = (node: ServerProcess) => Promise.all(rooms.map((room) => seatOf(node, room)));

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endAtMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    assert.ok(performance.now() < endAtMs, `${what}: not within ${deadlineMs} ms`);
    await sleep(20);
  }
}

/** Waits until all nodes name only each other, and the same ones. */
async function agree(nodes: readonly ServerProcess[]): Promise<void> {
  for (const node of nodes) await node.reaches('chat_members', nodes.length);
  await eventually('the same seats', async () => {
    const [first, ...others] = await Promise.all(nodes.map(async (node) => JSON.stringify(await seatsOf(node))));
    return others.every((other) => other === first);
  });
}

/** Speakers who number their messages, one for each room; they are plain clients, at one node. */
class Talk {
  readonly #speakers: Person[];
  readonly #timer: NodeJS.Timeout;
  #said = 0;

  private constructor(speakers: Person[]) {
    this.#speakers = speakers;
    this.#timer = setInterval(() => {
      for (const speaker of speakers) speaker.say(String(this.#said));
      this.#said++;
    }, 100);
  }

  static async start(node: ServerProcess, inRooms: readonly string[]): Promise<Talk> {
    return new Talk(await Promise.all(inRooms.map((room) => Person.join(node.url(room), `speaker of ${room}`))));
  }

  /** Ends it, and checks that all listeners have heard all numbers from their first on, each once, in order. */
  async wasHeardBy(listeners: readonly ResumingPerson[]): Promise<void> {
    clearInterval(this.#timer);
    const last = String(this.#said - 1);
    await eventually('the last message', () => listeners.every(({ texts }) => texts.at(-1) === last));
    for (const { texts, joins } of listeners) {
      const first = Number(texts[0]);
      assert.deepEqual(texts, Array.from({ length: this.#said - first }, (_, index) => String(first + index)));
      assert.ok(joins.slice(1).every(({ recovered }) => recovered));
    }
    for (const speaker of this.#speakers) {
      assert.equal(speaker.ws.readyState, speaker.ws.OPEN, 'a plain client is not moved');
      await speaker.leave();
    }
    await Promise.all(listeners.map((listener) => listener.leave()));
  }
}

function listen(nodes: readonly ServerProcess[], inRooms: readonly string[], each: number) {
  const origins = nodes.map(({ origin }) => origin);
  const joins = inRooms.flatMap((room) => Array.from({ length: each }, () => ResumingPerson.join(origins, room)));
  return Promise.all(joins);
}

test('all nodes name the same seats, evenly; a killed node is named for 4 s at most', { skip }, async () => {
  const start = newChat();
  await using one = await start();
  await using two = await start();
  await using three = await start();
  const nodes = [one, two, three];
  await agree(nodes);
  const seats = await seatsOf(one);
  assert.deepEqual(new Set(seats.map(({ node }) => node)), new Set(nodes.map(hostOf)));
  for (const [index, { url, node, partition }] of seats.entries()) {
    assert.equal(url, `ws://${node}/ws/${rooms[index]}`);
    assert.ok(partition >= 0 && partition < 64);
  }
  const globalSeat = (await (await ask(two, '')).json()) as Seat;
  assert.equal(globalSeat.url, `ws://${globalSeat.node}/ws`);
  const alice = await Person.join(seats[0]!.url, 'alice');
  alice.say('here');
  await alice.hears(1);

  const room = rooms[seats.findIndex(({ node }) => node === hostOf(three))]!;
  const instead = await seatOf(one, room, `&not=${hostOf(three)}`);
  assert.notEqual(instead.node, hostOf(three));
  const killedAtMs = performance.now();
  await three.stop('SIGKILL');
  await eventually('another seat', async () => (await seatOf(one, room)).node !== hostOf(three));
  const tookMs = performance.now() - killedAtMs;
  // The time to live of 3 s, the interval of 1 s, and what a busy machine adds.
  assert.ok(tookMs < 5_000, `named for ${tookMs} ms`);
  await agree([one, two]);
  assert.deepEqual(await seatOf(two, room), instead);
});

test('people move to a new node at the pace, miss nothing, and plain clients stay', { skip }, async () => {
  const pace = 10;
  const start = newChat('--seat-stable-ms', '1500', '--moves-per-second', String(pace));
  await using one = await start();
  const talk = await Talk.start(one, rooms);
  const listeners = await listen([one], rooms, 1);
  await using two = await start();
  await agree([one, two]);
  const seats = await seatsOf(two);
  const movedTo = (node: ServerProcess) => seats.filter((seat) => seat.node === hostOf(node)).length;
  const shouldMove = movedTo(two);
  assert.ok(shouldMove > 10, `${shouldMove} rooms are seated on the new node`);
  await eventually('everybody in the seat', () =>
    listeners.every(({ node }, index) => node === seats[index]!.node),
  );
  assert.equal((await one.metrics())('chat_moves_total'), shouldMove);
  await one.reaches('chat_sessions_elsewhere', shouldMove);
  await two.reaches('chat_sessions_elsewhere', 0);
  const ends = listeners.flatMap((listener) => listener.ends).toSorted((a, b) => a.atMs - b.atMs);
  assert.deepEqual(new Set(ends.map(({ code }) => code)), new Set([closeCode.seatMoved]));
  const seconds = (ends.at(-1)!.atMs - ends[0]!.atMs) / 1000;
  assert.ok(seconds > (shouldMove - 2) / pace - 0.5, `${shouldMove} moves in ${seconds.toFixed(2)} s`);
  await talk.wasHeardBy(listeners);
});

test('a node that drains sends its people away: who resumes misses nothing', { skip }, async () => {
  const start = newChat('--reconnect-wait-ms-max', '500');
  await using one = await start();
  await using two = await start();
  await agree([one, two]);
  const talk = await Talk.start(one, rooms);
  const listeners = await listen([one, two], rooms, 1);
  const atTwo = listeners.filter(({ node }) => node === hostOf(two));
  assert.ok(atTwo.length > 10);
  const plain = await Person.join(two.url(), 'plain');
  const stopped = two.stop();
  assert.equal((await plain.closed).code, closeCode.restart);
  assert.equal((await seatOf(one, rooms[0]!)).node, hostOf(one), 'nobody is sent to a node that leaves');
  assert.equal((await stopped).code, 0);
  await eventually('everybody on the other node', () => listeners.every(({ node }) => node === hostOf(one)));
  for (const { ends } of atTwo) assert.deepEqual(ends.map(({ code }) => code), [closeCode.seatMoved]);
  await one.reaches('chat_members', 1);
  await talk.wasHeardBy(listeners);
});

test('while Redis is away the nodes go on naming the seats of before, and move nobody', { skip: skip || !ownRedis() }, async () => {
  await using own = await startRedis!();
  const args = ['--redis-url', own.url, '--seat-stable-ms', '0'];
  await using one = await ServerProcess.start('06-partitioned', args);
  await using two = await ServerProcess.start('06-partitioned', args);
  await agree([one, two]);
  const seats = await seatsOf(one);
  const server = (own as { process?: { signal(signal: NodeJS.Signals): void } }).process!;
  server.signal('SIGSTOP');
  for (const endAtMs = performance.now() + 5_000; performance.now() < endAtMs; await sleep(200))
    assert.deepEqual(await seatsOf(one), seats);
  server.signal('SIGCONT');
  for (const endAtMs = performance.now() + 3_000; performance.now() < endAtMs; await sleep(200))
    assert.deepEqual(await seatsOf(one), seats);
  await agree([one, two]);
  assert.deepEqual(await seatsOf(two), seats);
});

/** A Redis of our own can be frozen. */
function ownRedis(): boolean {
  return !process.env.REDIS_URL;
}

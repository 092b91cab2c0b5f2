/** Real nodes of 06-partitioned: where they seat people, when one dies, comes or leaves. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownRedisBinary, startRedisServer } from '#host/redis-server.ts';
import { closeCode } from '#protocol';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ResumingPerson } from '../../testing/resuming-person.ts';
import { ServerProcess } from '../../testing/server.ts';
import { until } from '../../testing/until.ts';

const binary = await ownRedisBinary();
const skipFrozen = binary === null && 'there is no redis-server that may be frozen';
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

/** Waits until all nodes name only each other, and the same ones. */
async function agree(nodes: readonly ServerProcess[]): Promise<void> {
  for (const node of nodes) await node.reaches('chat_members', nodes.length);
  await until(
    async () => {
      const answers = await Promise.all(nodes.map(seatsOf));
      const [first, ...others] = answers.map((answer) => JSON.stringify(answer));
      return others.every((other) => other === first);
    },
    'the same seats',
    deadlineMs,
  );
}

/** Speakers who number their messages, one for each room, plain clients at one node; and those who listen. */
class Talk {
  readonly #speakers: readonly Person[];
  readonly listeners: readonly ResumingPerson[];
  readonly #timer: NodeJS.Timeout;
  #said = 0;

  private constructor(speakers: readonly Person[], listeners: readonly ResumingPerson[]) {
    this.#speakers = speakers;
    this.listeners = listeners;
    this.#timer = setInterval(() => this.#speak(), 100);
  }

  /** One listener for each room joins where one of the nodes that are asked sends it. */
  static async start(speakersAt: ServerProcess, asked: readonly ServerProcess[]): Promise<Talk> {
    const origins = asked.map(({ origin }) => origin);
    const speak = (room: string) => Person.join(speakersAt.url(room), `speaker of ${room}`);
    const listen = (room: string) => ResumingPerson.join(origins, room);
    return new Talk(await Promise.all(rooms.map(speak)), await Promise.all(rooms.map(listen)));
  }

  /** Ends it, and checks that all listeners have heard all numbers, each once, in order. */
  async wasHeard(): Promise<void> {
    clearInterval(this.#timer);
    const last = String(this.#said - 1);
    await until(
      () => this.listeners.every(({ texts }) => texts.at(-1) === last),
      'the last message',
      deadlineMs,
    );
    const expected = Array.from({ length: this.#said }, (_, number) => String(number));
    for (const { texts, joins } of this.listeners) {
      assert.deepEqual(texts, expected);
      assert.ok(joins.slice(1).every(({ recovered }) => recovered));
    }
    for (const { ws } of this.#speakers) assert.equal(ws.readyState, ws.OPEN, 'a plain client is not moved');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const { ws } of this.#speakers) ws.terminate();
    await Promise.all(this.listeners.map((listener) => listener.leave()));
  }

  #speak(): void {
    for (const speaker of this.#speakers) speaker.say(String(this.#said));
    this.#said++;
  }
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
  await until(async () => (await seatOf(one, room)).node !== hostOf(three), 'another seat', deadlineMs);
  const tookMs = performance.now() - killedAtMs;
  // The time to live of 3 s, the interval of 1 s, and what a busy machine adds.
  assert.ok(tookMs < 5_000, `named for ${tookMs} ms`);
  await agree([one, two]);
  assert.deepEqual(await seatOf(two, room), instead);
});

test('people move to a new node at the pace, miss nothing, and plain clients stay', { skip }, async () => {
  const pace = 10;
  const start = newChat('--seat-stable', '1500ms', '--move-rate', `${pace}/s`);
  await using one = await start();
  await using talk = await Talk.start(one, [one]);
  const { listeners } = talk;
  await using two = await start();
  await agree([one, two]);
  const seats = await seatsOf(two);
  const movedTo = (node: ServerProcess) => seats.filter((seat) => seat.node === hostOf(node)).length;
  const shouldMove = movedTo(two);
  assert.ok(shouldMove > 10, `${shouldMove} rooms are seated on the new node`);
  const areSeated = () => listeners.every(({ node }, index) => node === seats[index]!.node);
  await until(areSeated, 'everybody in the seat', deadlineMs);
  assert.equal((await one.metrics())('chat_moves_total'), shouldMove);
  await one.reaches('chat_sessions_elsewhere', shouldMove);
  await two.reaches('chat_sessions_elsewhere', 0);
  const ends = listeners.flatMap((listener) => listener.ends).toSorted((a, b) => a.atMs - b.atMs);
  assert.deepEqual(new Set(ends.map(({ code }) => code)), new Set([closeCode.seatMoved]));
  const seconds = (ends.at(-1)!.atMs - ends[0]!.atMs) / 1000;
  assert.ok(seconds > (shouldMove - 2) / pace - 0.5, `${shouldMove} moves in ${seconds.toFixed(2)} s`);
  await talk.wasHeard();
});

test('a node that drains sends its people away: who resumes misses nothing', { skip }, async () => {
  const start = newChat('--reconnect-wait-max', '500ms');
  await using one = await start();
  await using two = await start();
  await agree([one, two]);
  await using talk = await Talk.start(one, [one, two]);
  const { listeners } = talk;
  const atTwo = listeners.filter(({ node }) => node === hostOf(two));
  assert.ok(atTwo.length > 10);
  const plain = await Person.join(two.url(), 'plain');
  const stopped = two.stop();
  assert.equal((await plain.closed).code, closeCode.restart);
  assert.equal((await seatOf(one, rooms[0]!)).node, hostOf(one), 'nobody is sent to a node that leaves');
  assert.equal((await stopped).code, 0);
  await until(
    () => listeners.every(({ node }) => node === hostOf(one)),
    'everybody on the other node',
    deadlineMs,
  );
  for (const { ends } of atTwo)
    assert.deepEqual(
      ends.map(({ code }) => code),
      [closeCode.seatMoved],
    );
  await one.reaches('chat_members', 1);
  await talk.wasHeard();
});

test('while Redis is frozen the nodes go on naming the seats of before', { skip: skipFrozen }, async () => {
  await using frozen = await startRedisServer(binary!);
  const args = ['--redis-url', frozen.url];
  await using one = await ServerProcess.start('06-partitioned', args);
  await using two = await ServerProcess.start('06-partitioned', args);
  await agree([one, two]);
  const nodesOf = async (node: ServerProcess) => (await seatsOf(node)).map((seat) => seat.node).join(' ');
  const before = await nodesOf(one);
  const isLikeBeforeFor = async (ms: number) => {
    for (const endAtMs = performance.now() + ms; performance.now() < endAtMs; await sleep(200))
      for (const node of [one, two]) assert.equal(await nodesOf(node), before);
  };
  frozen.process.signal('SIGSTOP');
  await isLikeBeforeFor(5_000);
  frozen.process.signal('SIGCONT');
  await isLikeBeforeFor(4_000);
});

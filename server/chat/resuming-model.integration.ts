/**
 * Resume against a simple model: people join, talk, leave and resume on two nodes; the log is trimmed, nodes
 * are restarted, Redis loses its data or its connections. The model is the order in which Redis has the
 * messages of a room. Whoever was told `recovered: true`, each time, has a stretch of it: nothing missed,
 * repeated or swapped.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { ownRedisBinary, startRedisServer } from '#host/redis-server.ts';
import type { Position } from '#protocol';
import { until } from '../backplane/backplane.contract.ts';
import { keysOf } from '../backplane/partition.ts';
import { type Guest, TestNode } from './resuming.fixture.ts';

const rooms = ['tea', 'coffee'];
const people = 4;
/** Chosen: the test takes about fifteen seconds. */
const runs = 200;

/** Some heartbeats of the nodes. Within it the test does not ask that a position is recovered. Chosen. */
const settledMs = 500;

/** Everything that Redis carries out, in order: the messages of each room, by lives of the log. */
class Witness {
  readonly #redis: Redis;
  readonly #lives: Map<string, string[]>[] = [];
  #seen = '';

  private constructor(redis: Redis, monitor: Redis) {
    this.#redis = redis;
    monitor.on('monitor', (_time: string, args: string[]) => this.#see(args));
  }

  static async start(redis: Redis): Promise<{ witness: Witness; monitor: Redis }> {
    const monitor = await redis.monitor();
    return { witness: new Witness(redis, monitor), monitor };
  }

  #see(args: string[]): void {
    const [command = '', , field] = args.map((arg) => arg.toLowerCase());
    if (command === 'echo') this.#seen = args[1]!;
    if (command === 'hset' && field === 'epoch') this.#lives.push(new Map());
    if (command !== 'xadd') return;
    for (const [, text, room] of args.join(' ').matchAll(/"Message":"((\w+)-\d+)"/g)) {
      const life = this.#lives.at(-1)!;
      life.set(room!, [...(life.get(room!) ?? []), text!]);
    }
  }

  /** Resolves when it has seen all that has been carried out until now. */
  async catchUp(): Promise<void> {
    const mark = randomUUID();
    await this.#redis.echo(mark);
    await until(() => this.#seen === mark, 'seen by the witness');
  }

  /** Whether these messages follow each other without a hole in one life of the room. */
  has(room: string, stretch: readonly string[]): boolean {
    if (stretch.length === 0) return true;
    return this.#lives.some((life) => {
      const all = life.get(room) ?? [];
      const start = all.indexOf(stretch[0]!);
      return start !== -1 && stretch.every((text, index) => all[start + index] === text);
    });
  }
}

/** Two nodes, and what is done to them and to Redis. */
class World {
  readonly nodes: TestNode[] = [];
  readonly #redis: Redis;
  readonly #options: { url: string; channel: string; partitions: number; tailBytesMax: number };
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #said = 0;

  constructor(redis: Redis, url: string, tailBytesMax: number) {
    this.#redis = redis;
    this.#options = { url, channel: `test:${randomUUID()}`, partitions: 1, tailBytesMax };
  }

  async startNode(index: number): Promise<void> {
    this.nodes[index] = await TestNode.start(this.#options);
  }

  /** The text of the next message of a room. */
  nextText(room: string): string {
    return `${room}-${this.#said++}`;
  }

  async trim(entries: number): Promise<void> {
    await this.#redis.xtrim(keysOf(this.#options.channel, 0).stream, 'MAXLEN', entries);
    this.#takenAtMs = performance.now();
  }

  async lose(): Promise<void> {
    await this.#redis.flushall();
    this.#takenAtMs = performance.now();
  }

  /** Whether every node has had the time to notice what was taken from the log last. */
  get isSettled(): boolean {
    return performance.now() - this.#takenAtMs > settledMs;
  }

  /** Cuts the connections of all nodes. */
  async cut(): Promise<void> {
    const list = (await this.#redis.client('LIST')) as string;
    for (const [, id] of list.matchAll(/^id=(\d+) .* name=chat-/gm))
      await this.#redis.call('CLIENT', 'KILL', 'ID', id!);
  }
}

/** Somebody who comes and goes, and all that it heard since it was last told `recovered: false`. */
class Person {
  readonly room: string;
  guest: Guest | undefined;
  #position: Position | undefined;
  #heardBefore: string[] = [];
  /** Nothing has been taken from the log since it joined. */
  #mustRecover = true;
  /** What it had heard each time that it left. */
  readonly #claims: string[][] = [];

  constructor(index: number) {
    this.room = rooms[index % rooms.length]!;
  }

  get stretch(): string[] {
    return [...this.#heardBefore, ...(this.guest?.texts ?? [])];
  }

  async join(world: World, node: number): Promise<void> {
    if (this.guest?.connection.open) return;
    this.leave();
    const guest = await world.nodes[node]!.join(this.room, { position: this.#position });
    if (!guest) return; // Not in time: it tries again.
    if (this.#position && this.#mustRecover) assert.equal(guest.joined.recovered, true, 'nothing was taken');
    if (!guest.joined.recovered) this.#heardBefore = [];
    this.guest = guest;
    this.#mustRecover = world.isSettled;
  }

  leave(): void {
    if (!this.guest) return;
    if (this.guest.connection.open) this.guest.leave();
    this.#position = this.guest.position;
    this.#heardBefore = this.stretch;
    this.guest = undefined;
    this.check();
  }

  mayLose(): void {
    this.#mustRecover = false;
  }

  check(): void {
    const { stretch } = this;
    assert.ok(stretch.length === new Set(stretch).size, `repeated: ${stretch}`);
    this.#claims.push(stretch);
  }

  /** Call when all has been observed. */
  checkAll(witness: Witness): void {
    this.check();
    for (const stretch of this.#claims) assert.ok(witness.has(this.room, stretch), `no stretch: ${stretch}`);
  }
}

type Model = Record<string, never>;
type Real = { world: World; people: Person[] };
type Command = fc.AsyncCommand<Model, Real>;

const command = (name: string, run: (real: Real) => Promise<void>): Command => ({
  check: () => true,
  run: (_model, real) => run(real),
  toString: () => name,
});

const person = fc.nat(people - 1);
const node = fc.nat(1);
const commands = [
  fc
    .tuple(person, node)
    .map(([who, at]) => command(`join(${who}, ${at})`, ({ people, world }) => people[who]!.join(world, at))),
  fc.tuple(person, fc.integer({ min: 1, max: 6 }), fc.boolean()).map(([who, count, waits]) =>
    command(`say(${who}, ${count}, ${waits})`, async ({ people, world }) => {
      const { guest } = people[who]!;
      if (!guest?.connection.open) return;
      let last = '';
      for (let said = 0; said < count; said++) {
        last = world.nextText(guest.room);
        guest.say(last);
      }
      if (waits) await until(() => !guest.connection.open || guest.texts.includes(last), 'heard');
    }),
  ),
  person.map((who) => command(`leave(${who})`, async ({ people }) => people[who]!.leave())),
  fc.nat(6).map((entries) =>
    command(`trim(${entries})`, async ({ people, world }) => {
      await world.trim(entries);
      for (const one of people) one.mayLose();
    }),
  ),
  node.map((at) =>
    command(`restart(${at})`, async ({ people, world }) => {
      await world.nodes[at]!.stop();
      for (const one of people) if (one.guest && !one.guest.connection.open) one.leave();
      await world.startNode(at);
    }),
  ),
  fc.constant(command('cut', ({ world }) => world.cut())),
  fc.constant(
    command('lose', async ({ people, world }) => {
      await world.lose();
      for (const one of people) one.mayLose();
    }),
  ),
];
// Joins and talk are more frequent than failures.
const anyCommand = fc.oneof(
  ...commands.map((arbitrary, index) => ({ arbitrary, weight: [6, 6, 3, 1, 1, 1, 1][index]! })),
);

const binary = await ownRedisBinary();

test('nobody who is told that it is recovered has missed, repeated or swapped a message', {
  skip: binary === null && 'there is no redis-server',
}, async () => {
  await using server = await startRedisServer(binary!);
  const redis = new Redis(server.url);
  const { witness, monitor } = await Witness.start(redis);
  const scripts = fc.commands([anyCommand], { maxCommands: 30, size: 'max' });
  const property = fc.asyncProperty(
    scripts,
    fc.constantFrom(4096, 1024 ** 2),
    async (script, tailBytesMax) => {
      const world = new World(redis, server.url, tailBytesMax);
      for (const index of [0, 1]) await world.startNode(index);
      const everybody = Array.from({ length: people }, (_, index) => new Person(index));
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: { world, people: everybody } }), script);
        // All is healed: whoever is still there hears what everybody says now.
        await converse(world, everybody);
        await witness.catchUp();
        for (const one of everybody) one.checkAll(witness);
      } finally {
        for (const one of world.nodes) await one.stop();
      }
    },
  );
  try {
    await fc.assert(property, { numRuns: runs, endOnFailure: true });
  } finally {
    monitor.disconnect();
    redis.disconnect();
  }
});

/** Everybody says something until everybody of the room has heard it: a break may still close them once. */
async function converse(world: World, everybody: readonly Person[]): Promise<void> {
  const heard = async () => {
    for (const one of everybody) await one.join(world, 1);
    for (const room of rooms) {
      const here = everybody.filter((one) => one.room === room);
      const text = world.nextText(room);
      if (!here[0]!.guest?.say(text)) return false;
      const allHeard = () => here.every(({ guest }) => guest?.texts.includes(text));
      const closed = () => here.some(({ guest }) => !guest?.connection.open);
      await until(() => allHeard() || closed(), 'heard by all');
      if (!allHeard()) return false;
    }
    return true;
  };
  await until(heard, 'a conversation');
}

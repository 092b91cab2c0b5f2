/** The model of resume: the truth as Redis has it, two nodes that are disturbed, people who come and go. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisServer } from '#host/redis-server.ts';
import { type Direction, SilentProxy } from '#host/silent-proxy.ts';
import type { Joined, Position } from '#protocol';
import { until } from '../../testing/until.ts';
import { keysOf } from '../backplane/partition.ts';
import { type Guest, TestNode } from './resuming.fixture.ts';

const rooms = ['tea', 'coffee'];

/** Short, so that a silent link is noticed within a tenth of a second. Chosen. */
const heartbeatIntervalMs = 20;
/** Longer than a node needs to open a log again: who is not parted hears what follows a gap. Chosen. */
const closeAfterMs = 40;
/** Some heartbeats of the nodes. Within it the test does not ask that a position is recovered. Chosen. */
const settledMs = 500;
/** A node with little memory reads so many entries back, in one step: more is not asked of it. */
const missedMax = 60;

/** One life of a log: its epoch, and the messages of each room in the order in which Redis took them. */
type Life = { readonly state: string; readonly epoch: string; readonly rooms: Map<string, string[]> };

/** Everything that Redis carries out. */
export class Witness implements Disposable {
  readonly #redis: Redis;
  readonly #monitor: Redis;
  readonly #lives: Life[] = [];
  #seen = '';

  private constructor(redis: Redis, monitor: Redis) {
    this.#redis = redis;
    this.#monitor = monitor;
    monitor.on('monitor', (_time: string, args: string[]) => this.#see(args));
  }

  static async start(url: string): Promise<Witness> {
    const redis = new Redis(url);
    return new Witness(redis, await redis.monitor());
  }

  [Symbol.dispose](): void {
    this.#monitor.disconnect();
    this.#redis.disconnect();
  }

  #see(args: string[]): void {
    const [command = '', key = '', field = '', value = ''] = args;
    if (command.toLowerCase() === 'echo') this.#seen = key;
    if (command.toLowerCase() === 'hset' && field === 'epoch')
      this.#lives.push({ state: key, epoch: value, rooms: new Map() });
    if (command.toLowerCase() !== 'xadd') return;
    const life = this.#lives.findLast(({ state }) => state === `${key}:state`)!;
    for (const [, text, room] of args.join(' ').matchAll(/"Message":"((\w+)-\d+)"/g)) {
      const messages = life.rooms.get(room!);
      if (messages) messages.push(text!);
      else life.rooms.set(room!, [text!]);
    }
  }

  /** Resolves when it has seen all that has been carried out until now. */
  async catchUp(): Promise<void> {
    const mark = randomUUID();
    await this.#redis.echo(mark);
    await until(() => this.#seen === mark, 'seen by the witness');
  }

  /** Fails where Redis has taken a message twice: a batch that was sent again. */
  checkEachOnce(): void {
    for (const { rooms } of this.#lives)
      for (const messages of rooms.values())
        assert.equal(new Set(messages).size, messages.length, `appended twice: ${messages}`);
  }

  /** Fails unless the messages are exactly those that follow the position that somebody was told. */
  check({ room, epoch, offset }: Joined, texts: readonly string[]): void {
    const life = this.#lives.find((one) => epoch.startsWith(`${one.epoch}-`));
    const messages = life?.rooms.get(room) ?? [];
    assert.deepEqual(texts, messages.slice(offset, offset + texts.length), `${room} from ${offset} on`);
  }
}

/** Two nodes, each behind a network of its own, and what is done to them and to Redis. */
export class World implements AsyncDisposable {
  readonly nodes: TestNode[] = [];
  readonly #admin: Redis;
  readonly #proxies: SilentProxy[] = [];
  readonly #options: {
    channel: string;
    partitions: number;
    tailBytesMax: number;
    heartbeatIntervalMs: number;
  };
  #takenAtMs = Number.NEGATIVE_INFINITY;
  /** Messages of which a text was asked for. */
  said = 0;

  private constructor(url: string, tailBytesMax: number) {
    this.#admin = new Redis(url);
    this.#options = { channel: `test:${randomUUID()}`, partitions: 1, tailBytesMax, heartbeatIntervalMs };
  }

  static async start({ url, port }: RedisServer, tailBytesMax: number): Promise<World> {
    const world = new World(url, tailBytesMax);
    for (const index of [0, 1]) {
      world.#proxies.push(await SilentProxy.start(port));
      await world.#startNode(index);
    }
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
    this.#admin.disconnect();
  }

  async #startNode(index: number): Promise<void> {
    const url = `redis://127.0.0.1:${this.#proxies[index]!.port}`;
    this.nodes[index] = await TestNode.start({ ...this.#options, url }, { closeAfterMs });
  }

  async restart(index: number): Promise<void> {
    await this.nodes[index]!.stop();
    await this.#startNode(index);
  }

  /** The text of the next message of a room. */
  nextText(room: string): string {
    return `${room}-${this.said++}`;
  }

  /** Leaves so many of the newest entries, as the scripts do it: the state says where the log begins. */
  async trim(entries: number): Promise<void> {
    const { stream, state } = keysOf(this.#options.channel, 0);
    const trim = `
      redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[1])
      local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
      local before = oldest and string.match(oldest[2][4], ' (%S+)') or redis.call('HGET', KEYS[2], 'last')
      if before then redis.call('HSET', KEYS[2], 'from', string.match(before, '%d+')) end`;
    await this.#admin.eval(trim, 2, stream, state, entries);
    this.#takenAtMs = performance.now();
  }

  async lose(): Promise<void> {
    await this.#admin.flushall();
    this.#takenAtMs = performance.now();
  }

  /** Whether every node has had the time to notice what was taken from the log last. */
  get isSettled(): boolean {
    return performance.now() - this.#takenAtMs > settledMs;
  }

  /** Ends the connections of all nodes; they come back at once. */
  async endConnections(): Promise<void> {
    const list = (await this.#admin.client('LIST')) as string;
    for (const [, id] of list.matchAll(/^id=(\d+) .* name=chat-/gm))
      await this.#admin.call('CLIENT', 'KILL', 'ID', id!);
  }

  /** Cuts one node from Redis, silently. */
  cut(index: number, direction: Direction): void {
    this.#proxies[index]!.cut(direction);
  }

  heal(index: number): void {
    this.#proxies[index]!.heal();
  }
}

/** Somebody who comes and goes, with all its visits. */
export class Person {
  readonly room: string;
  readonly #world: World;
  readonly #visits: Guest[] = [];
  #guest: Guest | undefined;
  /** The node of its last visit. */
  node = 0;
  #position: Position | undefined;
  #leftAt = 0;
  /** Nothing has been taken from the log since it joined. */
  #mustRecover = true;

  constructor(world: World, index: number) {
    this.#world = world;
    this.room = rooms[index % rooms.length]!;
  }

  get isHere(): boolean {
    return this.#guest?.connection.open === true;
  }

  async join(node: number): Promise<void> {
    if (this.isHere) return;
    this.leave();
    const position = this.#position;
    const guest = await this.#world.nodes[node]!.join(this.room, { position });
    if (!guest) return; // Not in time: it tries again.
    const { recovered, epoch, offset } = guest.joined;
    const isNear = this.#world.said - this.#leftAt < missedMax;
    if (position && this.#mustRecover && isNear) assert.equal(recovered, true, 'nothing was taken');
    if (recovered) assert.deepEqual({ epoch, offset }, position, 'the position that was asked for');
    this.node = node;
    this.#guest = guest;
    this.#visits.push(guest);
    this.#mustRecover = this.#world.isSettled;
  }

  /** `lost`: so many of the newest messages were written to it, and never reached it. */
  leave(lost = 0): void {
    if (!this.#guest) return;
    const { joined, texts } = this.#guest;
    if (this.isHere) this.#guest.leave();
    const received = Math.max(0, texts.length - lost);
    this.#position = { epoch: joined.epoch, offset: joined.offset + received };
    // A node may have had messages for it that Redis has no more.
    if (lost > 0 && joined.recovered) this.#mustRecover = false;
    this.#leftAt = this.#world.said - (texts.length - received);
    this.#guest = undefined;
  }

  /** Says something new. Returns it, or undefined where it cannot. */
  say(): string | undefined {
    if (!this.isHere) return undefined;
    const text = this.#world.nextText(this.room);
    return this.#guest!.say(text) ? text : undefined;
  }

  hasHeard(text: string): boolean {
    return this.#guest?.texts.includes(text) === true;
  }

  /** Resolves when it has heard it, or is closed. */
  async hears(text: string | undefined): Promise<void> {
    if (text !== undefined) await until(() => !this.isHere || this.hasHeard(text), 'heard');
  }

  /** Something is taken from the log. */
  mayLose(): void {
    this.#mustRecover = false;
  }

  /** Call when all has been observed. */
  check(witness: Witness): void {
    for (const { joined, texts } of this.#visits) witness.check(joined, texts);
  }
}

/** Each of them says something, and waits until it is heard. Returns what was said, by room. */
export async function talk(people: readonly Person[]): Promise<Map<string, string>> {
  const said = new Map<string, string>();
  for (const one of people) {
    const text = one.say();
    await one.hears(text);
    if (text !== undefined) said.set(one.room, text);
  }
  return said;
}

/** Those who are away join: the first half at one node, the second half at the other. */
export async function gather(people: readonly Person[], node: number): Promise<void> {
  for (const [index, one] of people.entries()) await one.join(index * 2 < people.length ? node : 1 - node);
}

/** Everybody says something until everybody of the room has heard it: a gap may still close them once. */
export async function converse(people: readonly Person[]): Promise<void> {
  const allHear = async () => {
    for (const one of people) await one.join(1);
    const said = await talk(people);
    for (const one of people) await one.hears(said.get(one.room));
    return people.every((one) => one.isHere && one.hasHeard(said.get(one.room) ?? ''));
  };
  await until(allHear, 'a conversation');
}

/** Resolves when those behind a healed network have heard what the others say now, or are closed. */
export async function catchUpWith(near: readonly Person[], far: readonly Person[]): Promise<void> {
  const haveHeard = async () => {
    const said = await talk(near);
    await sleep(5);
    return far.every((one) => !one.isHere || !said.has(one.room) || one.hasHeard(said.get(one.room)!));
  };
  await until(haveHeard, 'heard behind the healed network');
}

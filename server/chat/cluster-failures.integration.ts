/** Failovers of a real Redis Cluster under partitions: who is told that it missed nothing missed nothing. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClusterServers } from '#host/redis-cluster.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { until } from '../../testing/until.ts';
import { partitionOf } from '../backplane/partition.ts';
import { beginMove, failures, heal, type Part, partOf, stopReplication } from '../redis/cluster.fixture.ts';
import { groupsOf } from '../redis/groups.ts';
import { slotOf } from '../redis/hash-slot.ts';
import { type Guest, TestNode } from './resuming.fixture.ts';

const startCluster = await findRedisCluster();
const groups = 16;

/** Somebody who comes back with its position whenever it was closed, to the nodes in turn. */
class Regular {
  readonly room: string;
  readonly visits: Guest[] = [];
  readonly #nodes: readonly TestNode[];
  #joining = false;

  constructor(room: string, nodes: readonly TestNode[]) {
    this.room = room;
    this.#nodes = nodes;
  }

  get guest(): Guest | undefined {
    const guest = this.visits.at(-1);
    return guest?.connection.open ? guest : undefined;
  }

  async stay(): Promise<void> {
    if (this.guest || this.#joining) return;
    this.#joining = true;
    const position = this.visits.at(-1)?.position;
    const node = this.#nodes[this.visits.length % this.#nodes.length]!;
    const guest = await node.join(this.room, { position });
    if (guest) this.visits.push(guest);
    this.#joining = false;
  }

  /** Of its returns, how many were told that nothing was missed, and how many not. */
  get returns(): [recovered: number, not: number] {
    const all = this.visits.slice(1).map(({ joined }) => joined.recovered);
    return [all.filter(Boolean).length, all.filter((one) => !one).length];
  }
}

describe('failovers under partitions', { skip: startCluster === null && noRedisCluster }, () => {
  let cluster: RedisClusterServers;
  let channel = '';
  let nodes: TestNode[] = [];
  let people: Regular[] = [];
  let timer: NodeJS.Timeout | undefined;
  const rooms = roomsOfGroups();

  before(async () => {
    cluster = await startCluster!();
  });
  beforeEach(async () => {
    channel = `test:${randomUUID()}`;
    const start = () => TestNode.start({ url: cluster.url, channel, partitions: 64 });
    nodes = [await start(), await start()];
    people = rooms.flatMap((room) => [new Regular(room, nodes), new Regular(room, nodes.toReversed())]);
    await Promise.all(people.map((one) => one.stay()));
  });
  afterEach(async () => {
    clearInterval(timer);
    await Promise.all(nodes.map((node) => node.stop()));
    await heal(cluster);
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  const nameOf = (room: string) => groupsOf(cluster.url, channel)[partitionOf(room, groups)]!.channel;

  /** Everybody talks, and comes back when closed. */
  function talk(): void {
    let number = 0;
    timer = setInterval(() => {
      for (const one of people) {
        one.guest?.say(`${number++}`);
        void one.stay();
      }
    }, 10);
  }

  /** Everybody says something that everybody of the room hears. */
  async function converse(): Promise<void> {
    clearInterval(timer);
    for (const room of rooms) {
      const here = people.filter((one) => one.room === room);
      const said: string[] = [];
      const hear = async () => {
        for (const one of here) await one.stay();
        said.push(randomUUID());
        here[0]!.guest?.say(said.at(-1)!);
        await sleep(20);
        return said.some((text) => here.every(({ guest }) => guest?.texts.includes(text)));
      };
      await until(hear, `a conversation in ${room}`, 10_000);
    }
  }

  /** The people in rooms of that primary, and the others. */
  async function sides({ primary }: Part): Promise<[hit: Regular[], others: Regular[]]> {
    const hit = new Set<string>();
    for (const room of rooms) if ((await partOf(cluster, nameOf(room))).primary === primary) hit.add(room);
    return [people.filter(({ room }) => hit.has(room)), people.filter(({ room }) => !hit.has(room))];
  }

  for (const failure of failures)
    test(`${failure.name}: nobody who was told that nothing was missed misses, repeats or disorders`, async () => {
      const part = await partOf(cluster, nameOf(rooms[0]!));
      const [hit, others] = await sides(part);
      talk();
      await sleep(200);
      await failure.strike(cluster, part);
      await until(() => hit.every(({ visits }) => visits.length > 1), 'all of its rooms are told', 10_000);
      await sleep(300);
      await converse();
      assertOneTruth(people);
      for (const { returns } of hit) assert.ok(returns[1] >= 1, 'a promoted replica is a new epoch');
      for (const { visits, room } of others) assert.equal(visits.length, 1, `${room} goes on`);
    });

  test('a replica that lacks the newest messages is promoted: who has heard them is not recovered', async () => {
    const part = await partOf(cluster, nameOf(rooms[0]!));
    const [hit, others] = await sides(part);
    const say = async (heard: number) => {
      for (const one of people) one.guest!.say(randomUUID());
      await until(() => people.every(({ guest }) => guest?.texts.length === heard), 'heard');
    };
    await say(2);
    await stopReplication(cluster, part);
    await say(4);
    await failures[1]!.strike(cluster, part);
    talk();
    await until(() => hit.every(({ visits }) => visits.length > 1), 'all of its rooms are told', 10_000);
    await sleep(300);
    await converse();
    assertOneTruth(people);
    // A node that has not noticed yet may take somebody back into the old life of the log for a moment.
    for (const { visits, returns } of hit) {
      assert.ok(returns[1] >= 1);
      assert.notEqual(visits.at(-1)!.joined.epoch, visits[0]!.joined.epoch);
    }
    for (const { visits } of others) assert.equal(visits.length, 1);
  });

  test('a slot that is moved: messages wait while its keys are moved, and then it is a new epoch', async () => {
    const [room] = rooms;
    const { primary: from } = await partOf(cluster, nameOf(room!));
    const { primary: to } = await partOf(cluster, nameOf(rooms.at(-1)!));
    const slot = slotOf(nameOf(room!));
    talk();
    await sleep(200);
    const end = await beginMove(cluster, { slot, from, to });
    await until(() => nodes.every(({ chat }) => !chat.ready), 'no node can append there');
    assert.ok(
      people.every(({ visits }) => visits.length === 1),
      'it is a delay',
    );
    await end();
    await until(() => people[0]!.visits.length > 1 && people[1]!.visits.length > 1, 'told');
    await converse();
    assertOneTruth(people);
    for (const { visits } of people.slice(2)) assert.equal(visits.length, 1);
    await (await beginMove(cluster, { slot, from: to, to: from }))();
  });
});

/**
 * A place in the log of a room has one message, whoever heard it and wherever, and no message has two places
 * in one life of the log. Who was told that nothing was missed goes on at the place where it was, and all who
 * are there at the end have come to the same place.
 */
function assertOneTruth(people: readonly Regular[]): void {
  const messages = new Map<string, string>();
  const places = new Map<string, string>();
  const note = (notes: Map<string, string>, key: string, value: string) => {
    assert.equal(notes.get(key) ?? value, value, key);
    notes.set(key, value);
  };
  const ends = new Map<string, string>();
  for (const { room, visits } of people) {
    for (const [index, { joined, texts }] of visits.entries()) {
      for (const [place, text] of texts.entries()) {
        note(messages, `${room} ${joined.epoch} ${joined.offset + place}`, text);
        note(places, `${room} ${joined.epoch} ${text}`, String(joined.offset + place));
      }
      const { epoch, offset, recovered } = joined;
      if (recovered) assert.deepEqual({ epoch, offset }, visits[index - 1]!.position);
    }
    const { epoch, offset } = visits.at(-1)!.position;
    note(ends, room, `${epoch} ${offset}`);
  }
}

/** A room in each group. */
function roomsOfGroups(): string[] {
  const rooms: string[] = [];
  for (let number = 0; rooms.filter(Boolean).length < groups; number++)
    rooms[partitionOf(`room-${number}`, groups)] ??= `room-${number}`;
  return rooms;
}

/** Failovers of a real Redis Cluster under sharded pub/sub: each loss is a gap. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { RedisClusterServers } from '#host/redis-cluster.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { until } from '../../testing/until.ts';
import { beginMove, failures, heal, partOf } from '../redis/cluster.fixture.ts';
import { groupsOf } from '../redis/groups.ts';
import { slotOf } from '../redis/hash-slot.ts';
import type { Backplane } from './backplane.ts';
import { createBackplaneMeter } from './meter.ts';
import { partitionOf } from './partition.ts';
import { redisPubSub } from './redis-pub-sub.ts';

const startCluster = await findRedisCluster();

/** A node, with what it received and whom it told of a gap, in order. */
class Ear {
  readonly backplane: Backplane;
  readonly meter = createBackplaneMeter(new Registry());
  readonly heard = new Map<string, string[]>();
  /** For each room: how many messages it had when it was told. */
  readonly told = new Map<string, number[]>();
  readonly reasons: string[] = [];

  constructor(url: string, channel: string) {
    this.backplane = redisPubSub({ url, channel, heartbeatIntervalMs: 50, meter: this.meter });
  }

  start(rooms: readonly string[]): Promise<void> {
    for (const room of rooms) {
      this.heard.set(room, []);
      this.told.set(room, []);
    }
    return this.backplane.start({
      deliver: (room, payload) => this.heard.get(room)?.push(payload.toString()),
      gap: (reason, affects = () => true) => {
        this.reasons.push(reason);
        for (const room of rooms) if (affects(room)) this.told.get(room)!.push(this.heard.get(room)!.length);
      },
    });
  }
}

describe('failovers under sharded pub/sub', { skip: startCluster === null && noRedisCluster }, () => {
  let cluster: RedisClusterServers;
  let channel = '';
  let ears: Ear[] = [];
  let speaking: NodeJS.Timeout | undefined;
  /** One room in each group. */
  const rooms = roomsOfGroups(16);

  before(async () => {
    cluster = await startCluster!();
  });
  beforeEach(async () => {
    channel = `test:${randomUUID()}`;
    ears = [new Ear(cluster.url, channel), new Ear(cluster.url, channel)];
    await Promise.all(ears.map((ear) => ear.start(rooms)));
  });
  afterEach(async () => {
    // A test that fails does not end it.
    clearInterval(speaking);
    await Promise.all(ears.map(({ backplane }) => backplane.close()));
    await heal(cluster);
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  const channelOf = (room: string) => groupsOf(cluster.url, channel)[partitionOf(room, 16)]!.channel;

  /** Both talk in all rooms until it is ended; resolves with what was accepted, by room and speaker. */
  function talk() {
    const accepted = rooms.map(() => ears.map(() => [] as string[]));
    let number = 0;
    speaking = setInterval(() => {
      for (const [at, room] of rooms.entries())
        for (const [index, { backplane }] of ears.entries()) {
          const text = `${index}:${number++}`;
          if (backplane.publish(room, Buffer.from(text))) accepted[at]![index]!.push(text);
        }
    }, 4);
    return () => {
      clearInterval(speaking);
      return accepted;
    };
  }

  async function assertTalking(): Promise<void> {
    await until(() => ears.every(({ backplane }) => backplane.ready), 'ready again', 10_000);
    // A failover that is not noticed yet costs a message and a gap: it is said again.
    const hears = async (room: string) => {
      const text = `talking ${randomUUID()}`;
      ears[0]!.backplane.publish(room, Buffer.from(text));
      const saidAtMs = performance.now();
      const heard = () => ears.every((ear) => ear.heard.get(room)!.includes(text));
      await until(() => heard() || performance.now() > saidAtMs + 300, `heard in ${room}`);
      return heard();
    };
    for (const room of rooms) await until(() => hears(room), `heard in ${room}`, 10_000);
  }

  for (const failure of failures)
    test(`${failure.name}: who misses something is told, and the rooms of other primaries go on`, async () => {
      const part = await partOf(cluster, channelOf(rooms[0]!));
      const end = talk();
      await sleep(100);
      await failure.strike(cluster, part);
      await assertTalking();
      const accepted = end();
      await assertTalking();
      for (const [at, room] of rooms.entries()) {
        assertNoneSilently(room, ears, accepted[at]!);
        // The other primaries keep their slots.
        const isHit = (await stretchOf(part)).some(([first, last]) => {
          const slot = slotOf(channelOf(room));
          return first <= slot && slot <= last;
        });
        const counts = ears.map(({ told }) => told.get(room)!.length);
        if (isHit) assert.ok(Math.min(...counts) >= 1 && Math.max(...counts) <= 3, `${room}: ${counts}`);
        else assert.deepEqual(counts, [0, 0], `${room}: ${ears.map(({ reasons }) => reasons)}`);
      }
      for (const { meter, reasons } of ears)
        assert.equal((await meter.gaps.get()).values[0]!.value, reasons.length);
    });

  test('a slot that is moved to another primary: a gap, and the room goes on there', async () => {
    const room = rooms[0]!;
    const { primary: from } = await partOf(cluster, channelOf(room));
    const { primary: to } = await partOf(cluster, channelOf(rooms.at(-1)!));
    const slot = slotOf(channelOf(room));
    const end = talk();
    await sleep(100);
    await (await beginMove(cluster, { slot, from, to }))();
    await until(() => ears.every(({ told }) => told.get(room)!.length > 0), 'told');
    await assertTalking();
    const accepted = end();
    await assertTalking();
    assertNoneSilently(room, ears, accepted[0]!);
    for (const { told } of ears) {
      for (const other of rooms.slice(1)) assert.deepEqual(told.get(other), [], other);
    }
    await (await beginMove(cluster, { slot, from: to, to: from }))();
  });

  async function stretchOf({ replica }: { replica: RedisClusterServers['nodes'][number] }) {
    const line = (await cluster.ask(replica, ['CLUSTER', 'NODES']))
      .split('\n')
      .find((one) => one.includes('myself'))!;
    return [...line.matchAll(/ (\d+)-(\d+)/g)].map(
      ([, first, last]) => [Number(first), Number(last)] as const,
    );
  }
});

/**
 * Between two gaps, what came is a stretch of what each speaker said, without a hole, once and in order;
 * after the last one, to the end. What nobody heard is no hole: its speaker must have been told.
 */
function assertNoneSilently(room: string, ears: readonly Ear[], accepted: readonly string[][]): void {
  const heardBySome = new Set(ears.flatMap(({ heard }) => heard.get(room)!));
  for (const [index, said] of accepted.entries()) {
    const published = said.filter((text) => heardBySome.has(text));
    if (published.length < said.length) assert.notDeepEqual(ears[index]!.told.get(room), [], 'its speaker');
    for (const ear of ears) {
      const heard = ear.heard.get(room)!;
      assert.equal(new Set(heard).size, heard.length, 'nothing twice');
      const edges = [0, ...ear.told.get(room)!, heard.length];
      for (const [stretch, from] of edges.slice(0, -1).entries()) {
        const own = heard.slice(from, edges[stretch + 1]!).filter((text) => text.startsWith(`${index}:`));
        const first = published.indexOf(own[0]!);
        const isLast = stretch === edges.length - 2;
        const end = isLast && own.length > 0 ? published.length : first + own.length;
        assert.deepEqual(
          own,
          own.length > 0 ? published.slice(first, end) : [],
          `${room}, stretch ${stretch}`,
        );
      }
    }
  }
}

/** A room of each group. */
function roomsOfGroups(groups: number): string[] {
  const rooms: string[] = [];
  for (let number = 0; rooms.filter(Boolean).length < groups; number++)
    rooms[partitionOf(`room-${number}`, groups)] ??= `room-${number}`;
  return rooms;
}

/**
 * Resume over a real Redis: who comes back receives exactly what it missed, or is told that it cannot be had.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { ownRedisBinary, type RedisServer, startRedisServer } from '#host/redis-server.ts';
import { until } from '../../testing/until.ts';
import { keysOf, partitionOf } from '../backplane/partition.ts';
import { createPartitionMeter } from '../backplane/partition-meter.ts';
import type { RedisStreamsOptions } from '../backplane/redis-streams.ts';
import { type Guest, TestNode } from './resuming.fixture.ts';

const binary = await ownRedisBinary();

describe('resume', { skip: binary === null && 'there is no redis-server' }, () => {
  let server: RedisServer;
  let admin: Redis;
  let channel = '';
  let nodes: TestNode[] = [];

  beforeEach(async () => {
    server ??= await startRedisServer(binary!);
    admin ??= new Redis(server.url);
    channel = `test:${randomUUID()}`;
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    nodes = [];
  });
  after(async () => {
    admin.disconnect();
    await server[Symbol.asyncDispose]();
  });

  async function start(options: Partial<RedisStreamsOptions> = {}): Promise<TestNode> {
    const node = await TestNode.start({ url: server.url, channel, ...options });
    nodes.push(node);
    return node;
  }

  /** Says it, and waits until the speaker hears it. */
  async function say(guest: Guest, ...texts: string[]): Promise<void> {
    for (const text of texts) assert.equal(guest.say(text), true);
    await until(() => guest.texts.includes(texts.at(-1)!), `${texts.at(-1)} heard`);
  }

  const keys = (room: string) => keysOf(channel, partitionOf(room, 4));
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`);

  test('a newcomer is told its position, in an empty room too, and it is not recovered', async () => {
    const node = await start();
    const alice = await node.enter('tea');
    assert.deepEqual({ ...alice.joined, epoch: '' }, { room: 'tea', epoch: '', offset: 0, recovered: false });
    await say(alice, '0', '1', '2');
    const bob = await node.enter('tea');
    assert.deepEqual(bob.joined, { ...alice.joined, offset: 3 });
    assert.deepEqual(bob.texts, []);
  });

  test('who comes back receives what it missed and then what is new, on its node and on any other', async () => {
    const [here, there] = [await start(), await start()];
    const [alice, bob] = [await here.enter('tea'), await there.enter('tea')];
    await say(bob, ...numbers(0, 3));
    await until(() => alice.texts.length === 3, 'all heard');
    alice.leave();
    await say(bob, ...numbers(3, 40));
    const third = await start();
    for (const [index, node] of [here, there, third].entries()) {
      const back = await node.enter('tea', alice.position);
      assert.deepEqual(back.joined, { ...alice.joined, offset: 3, recovered: true });
      await until(() => back.texts.length >= 37 + index, 'the missed ones');
      await say(bob, `${40 + index}`);
      await until(() => back.texts.length >= 38 + index, 'the new one');
      assert.deepEqual(back.texts, numbers(3, 41 + index));
      assert.deepEqual(back.position, { ...alice.position, offset: 41 + index });
    }
  });

  test('a resume can be repeated: a position is not used up', async () => {
    const node = await start();
    const [alice, bob] = [await node.enter('tea'), await node.enter('tea')];
    const before = alice.position;
    alice.leave();
    await say(bob, ...numbers(0, 5));
    for (let time = 0; time < 2; time++) {
      const back = await node.enter('tea', before);
      assert.deepEqual([back.joined.recovered, back.texts], [true, numbers(0, 5)]);
      back.leave();
    }
  });

  test('a position that cannot be is not recovered: a future one, another room, another epoch', async () => {
    const node = await start();
    // Both rooms are counted from the same position of the same partition.
    const [room, other] = ['tea', 'a'].sort((a, b) => partitionOf(a, 1) - partitionOf(b, 1)) as [
      string,
      string,
    ];
    const guests = await Promise.all([node.enter(room), node.enter(other)]);
    await say(guests[0]!, ...numbers(0, 3));
    await say(guests[1]!, ...numbers(0, 3));
    const { epoch } = guests[0]!.position;
    const impossible = [
      { epoch, offset: 4 },
      { epoch, offset: Number.MAX_SAFE_INTEGER },
      { epoch: guests[1]!.position.epoch, offset: 1 },
      { epoch: `${epoch}0`, offset: 1 },
      { epoch: 'x', offset: 0 },
    ];
    for (const position of impossible) {
      const back = await node.enter(room, position);
      const told = { room, epoch, offset: 3, recovered: false };
      assert.deepEqual(back.joined, told, JSON.stringify(position));
      assert.deepEqual(back.texts, []);
    }
  });

  test('two rooms of one partition that begin together have different epochs', async () => {
    const node = await start({ partitions: 1 });
    const [tea, coffee] = await Promise.all([node.enter('tea'), node.enter('coffee')]);
    assert.notEqual(tea.joined.epoch, coffee.joined.epoch);
    const back = await node.enter('tea', coffee.position);
    assert.equal(back.joined.recovered, false);
  });

  test('a quiet room is recovered although the log holds nothing of it any more: nothing was missed', async () => {
    const [node, other] = [await start({ partitions: 1 }), await start({ partitions: 1 })];
    const quiet = await node.enter('quiet');
    await say(quiet, '0');
    quiet.leave();
    const bob = await node.enter('busy');
    await say(bob, ...numbers(0, 20));
    await admin.xtrim(keysOf(channel, 0).stream, 'MAXLEN', 0);
    for (const at of [node, other]) {
      const back = await at.enter('quiet', quiet.position);
      assert.deepEqual([back.joined.recovered, back.texts], [true, []]);
      back.leave();
    }
  });

  test('a gap of which a part was trimmed is not recovered, not even partly', async () => {
    const [node, other] = [await start(), await start()];
    const [alice, bob] = [await node.enter('tea'), await node.enter('tea')];
    alice.leave();
    for (const text of numbers(0, 10)) await say(bob, text);
    await admin.xtrim(keys('tea').stream, 'MAXLEN', 5);
    const back = await other.enter('tea', alice.position);
    assert.deepEqual([back.joined.recovered, back.joined.offset, back.texts], [false, 10, []]);
    const within = await other.enter('tea', { ...alice.position, offset: 5 });
    assert.deepEqual([within.joined.recovered, within.texts], [true, numbers(5, 10)]);
  });

  test('Redis itself trims the log to its bytes', async () => {
    const node = await start({ logBytesPerPartition: 50_000, tailBytesMax: 4096 });
    const alice = await node.enter('tea');
    for (let number = 0; number < 300; number++) {
      alice.say(`${number} ${'x'.repeat(90)}`);
      if (number % 3 === 0) await until(() => alice.connection.received.includes(`${number} x`), 'heard');
    }
    await until(() => alice.connection.received.includes('299 x'), 'heard');
    const bytes = Number(await admin.call('MEMORY', 'USAGE', keys('tea').stream));
    assert.ok(bytes > 10_000 && bytes < 100_000, `${bytes} bytes`);
    assert.deepEqual(node.gaps, []);
  });

  test('nothing falls between history and live while others talk, and nothing comes twice', async () => {
    const [here, there] = [await start(), await start()];
    const [alice, bob] = [await here.enter('tea'), await there.enter('tea')];
    alice.leave();
    let said = 0;
    const talk = setInterval(() => bob.say(`${said++}`), 1);
    try {
      const backs: Guest[] = [];
      for (let round = 0; round < 30; round++) {
        // A node that has never read this partition, and one that reads it.
        const fresh = round % 10 === 0 ? await start() : here;
        backs.push(await fresh.enter('tea', alice.position));
      }
      clearInterval(talk);
      await until(() => backs.every(({ texts }) => texts.length >= said), 'all received');
      for (const { joined, texts } of backs) {
        assert.equal(joined.recovered, true);
        assert.deepEqual(texts, numbers(0, said));
      }
    } finally {
      clearInterval(talk);
    }
  });

  test('many who come back at once share the reads of one log, and of one tail none at all', async () => {
    const partitionMeter = createPartitionMeter();
    const [here, there] = [await start(), await start({ partitionMeter })];
    const bob = await here.enter('tea');
    const before = bob.position;
    for (const text of numbers(0, 100)) await say(bob, text);
    const reads = async () => (await partitionMeter.historyReads.get()).values[0]?.value ?? 0;
    const all = await Promise.all(numbers(0, 200).map(() => there.enter('tea', before)));
    for (const { texts } of all) assert.deepEqual(texts, numbers(0, 100));
    assert.ok((await reads()) <= 3, `${await reads()} reads`);
    const readsBefore = await reads();
    const again = await Promise.all(numbers(0, 200).map(() => there.enter('tea', before)));
    for (const { joined } of again) assert.equal(joined.recovered, true);
    assert.equal(await reads(), readsBefore);
  });

  test('a room that Redis has forgotten begins anew: a position of before is not recovered', async () => {
    const node = await start({ partitions: 1, logRoomsMax: 16, tailBytesMax: 4096 });
    const alice = await node.enter('tea');
    await say(alice, ...numbers(0, 5));
    const { position } = alice;
    alice.leave();
    for (let room = 0; room < 60; room++) (await node.enter(`other-${room}`)).leave();
    await until(() => node.chat.rooms === 0, 'all gone');
    const fresh = await start({ partitions: 1, logRoomsMax: 16 });
    const back = await fresh.enter('tea', position);
    assert.equal(back.joined.recovered, false);
    assert.notEqual(back.joined.epoch, position.epoch);
    await say(back, ...numbers(0, 7));
    const again = await fresh.enter('tea', { ...position, offset: 6 });
    assert.equal(again.joined.recovered, false, 'an old epoch with a new count');
  });

  test('who reads too slowly waits with its missed messages, and receives them all in order', async () => {
    const node = await start();
    const [alice, bob] = [await node.enter('tea'), await node.enter('tea')];
    alice.leave();
    await say(bob, ...numbers(0, 50));
    let slow: Guest | undefined;
    node.chat.prepare!('tea', { position: alice.position }, () => {});
    slow = await node.enter('tea', alice.position);
    slow.connection.stalled = true;
    await say(bob, ...numbers(50, 60));
    slow.connection.flush();
    await until(() => slow!.texts.length === 60, 'all of them');
    assert.deepEqual(slow.texts, numbers(0, 60));
  });
});

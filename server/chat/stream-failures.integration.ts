/** Failures of a real Redis under the chat of partitions: each has a stated outcome, and none is silent. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ownRedisBinary, type RedisServer, startRedisServer } from '#host/redis-server.ts';
import { SilentProxy } from '#host/silent-proxy.ts';
import { until } from '../../testing/until.ts';
import { keysOf, partitionOf } from '../backplane/partition.ts';
import { createPartitionMeter } from '../backplane/partition-meter.ts';
import type { RedisStreamsOptions } from '../backplane/redis-streams.ts';
import { type Guest, TestNode } from './resuming.fixture.ts';

const binary = await ownRedisBinary();

describe('failures of Redis under partitions', {
  skip: binary === null && 'there is no redis-server',
}, () => {
  let server: RedisServer;
  let admin: Redis;
  let channel = '';
  let nodes: TestNode[] = [];
  let directory = '';

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'chat-log-'));
    server = await startRedisServer(binary!, { args: persistent() });
    admin = new Redis(server.url);
    admin.on('error', () => {});
    channel = `test:${randomUUID()}`;
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    nodes = [];
    admin.disconnect();
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const persistent = () => ['--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always'];

  async function start(options: Partial<RedisStreamsOptions> = {}): Promise<TestNode> {
    const node = await TestNode.start({ url: server.url, channel, partitions: 1, ...options });
    nodes.push(node);
    return node;
  }

  async function startTwo(options: Partial<RedisStreamsOptions> = {}) {
    const both = [await start(options), await start(options)] as const;
    const guests = [await both[0].enter('tea'), await both[1].enter('tea')] as const;
    return { both, guests };
  }

  const hears = (guests: readonly Guest[], count: number) =>
    until(() => guests.every(({ texts }) => texts.length >= count), `${count} heard by all`, 10_000);
  const ready = () => until(() => nodes.every(({ chat }) => chat.ready), 'ready again', 10_000);
  const unready = () => until(() => nodes.every(({ chat }) => !chat.ready), 'unready');
  const isOpen = ({ connection }: Guest) => connection.open;

  test('frozen: delay. No session is closed; what was said meanwhile arrives once, in order', async () => {
    const { both, guests } = await startTwo();
    guests[0].say('before');
    await hears(guests, 1);
    server.process.signal('SIGSTOP');
    assert.equal(guests[0].say('while frozen'), true);
    await unready();
    assert.equal(guests[0].say('while unready'), true);
    server.process.signal('SIGCONT');
    await ready();
    guests[1].say('after');
    await hears(guests, 4);
    assert.deepEqual(guests[0].texts.toSorted(), ['after', 'before', 'while frozen', 'while unready']);
    assert.deepEqual(guests[0].texts, guests[1].texts);
    assert.deepEqual(guests.map(isOpen), [true, true]);
    assert.deepEqual([...both[0].gaps, ...both[1].gaps], []);
  });

  test('restarted with its data: delay, and positions of before are recovered', async () => {
    const { both, guests } = await startTwo();
    const position = guests[0].position;
    for (const text of ['1', '2']) guests[0].say(text);
    await hears(guests, 2);
    server.process.signal('SIGKILL');
    await unready();
    assert.equal(guests[0].say('3'), true);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    server = await startRedisServer(binary!, { port, args: persistent() });
    await ready();
    await hears(guests, 3);
    for (const { texts } of guests) assert.deepEqual(texts, ['1', '2', '3']);
    assert.deepEqual([...both[0].gaps, ...both[1].gaps], []);
    const back = await (await start()).enter('tea', position);
    assert.deepEqual([back.joined.recovered, back.texts], [true, ['1', '2', '3']]);
  });

  test('restarted empty: the sessions are told (1012), and positions of before are not recovered', async () => {
    const partitionMeter = createPartitionMeter();
    const { both, guests } = await startTwo({ partitionMeter });
    guests[0].say('1');
    await hears(guests, 1);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await unready();
    server = await startRedisServer(binary!, { port });
    await ready();
    await until(() => !guests.some(isOpen), 'told');
    assert.deepEqual(
      guests.map(({ connection }) => connection.closedWith),
      [1012, 1012],
    );
    for (const [index, node] of both.entries()) {
      assert.equal(node.gaps.length, 1);
      const back = await node.enter('tea', guests[index]!.position);
      assert.deepEqual([back.joined.recovered, back.texts], [false, []]);
      back.say(`anew ${index}`);
      await hears([back], 1);
    }
    const { values } = await partitionMeter.gaps.get();
    assert.deepEqual(
      values.map(({ labels, value }) => [labels.reason, value]),
      [['epoch', 2]],
    );
  });

  test('emptied while it runs: the same', async () => {
    const { guests } = await startTwo();
    guests[0].say('1');
    await hears(guests, 1);
    await admin.flushall();
    await until(() => !guests.some(isOpen), 'told');
    const back = await nodes[0]!.enter('tea', guests[0].position);
    assert.equal(back.joined.recovered, false);
  });

  test('back with an older state: the sessions are told, and the epoch ends', async () => {
    const { guests } = await startTwo();
    guests[0].say('1');
    await hears(guests, 1);
    const kept = [];
    for (const key of await admin.keys('*')) kept.push([key, await admin.dumpBuffer(key)] as const);
    for (const text of ['2', '3']) guests[0].say(text);
    await hears(guests, 3);
    for (const [key, dump] of kept) await admin.restore(key, 0, dump, 'REPLACE');
    await until(() => !guests.some(isOpen), 'told');
    await ready();
    const fresh = await start();
    for (const node of nodes) {
      const back = await node.enter('tea', guests[0].position);
      assert.equal(back.joined.recovered, false);
      assert.equal((await node.enter('tea', { ...guests[0].position, offset: 1 })).joined.recovered, false);
    }
    assert.deepEqual(fresh.gaps, []);
  });

  test('full, with noeviction: 1013, and not ready; what was accepted is given up with 1012', async () => {
    const { both, guests } = await startTwo({ patienceTicks: 10 });
    guests[0].say('1');
    await hears(guests, 1);
    await admin.config('SET', 'maxmemory', '1');
    assert.equal(guests[0].say('accepted before anybody knew'), true);
    await until(() => !both[0].chat.ready, 'unready');
    assert.equal(guests[0].say('refused'), false);
    assert.equal(isOpen(guests[1]), true);
    await until(() => !isOpen(guests[0]), 'given up', 10_000);
    assert.equal(guests[0].connection.closedWith, 1012);
    await admin.config('SET', 'maxmemory', '0');
    await ready();
    const back = await both[0].enter('tea', guests[0].position);
    assert.equal(back.joined.recovered, true);
    back.say('2');
    await hears([guests[1]], 2);
    assert.deepEqual(guests[1].texts, ['1', '2']);
  });

  test('when it is no longer full, what was accepted is written soon, whatever the heartbeat', async () => {
    const [near, far] = [await start({ heartbeatIntervalMs: 10_000 }), await start()];
    const [before, after] = [await near.enter('tea'), await far.enter('tea')];
    await admin.config('SET', 'maxmemory', '1');
    assert.equal(before.say('accepted before anybody knew'), true);
    await until(() => !near.chat.ready, 'unready');
    await admin.config('SET', 'maxmemory', '0');
    // Else whoever was refused and came back on the other node would be heard first.
    await until(() => near.chat.ready, 'ready again', 2_000);
    await hears([before, after], 1);
    after.say('after it');
    await hears([before, after], 2);
    for (const { texts } of [before, after])
      assert.deepEqual(texts, ['accepted before anybody knew', 'after it']);
  });

  test('a log that was trimmed beyond a cursor: the sessions of that node are told, the others go on', async () => {
    await using proxy = await SilentProxy.start(server.port);
    const small = { logBytesPerPartition: 20_000 };
    const far = await start({ ...small, url: `redis://127.0.0.1:${proxy.port}` });
    const near = await start(small);
    const [alice, bob] = [await far.enter('tea'), await near.enter('tea')];
    bob.say('0');
    await hears([alice, bob], 1);
    proxy.cut();
    for (let number = 1; number <= 400; number++) {
      bob.say(`${number}`);
      await hears([bob], number + 1);
    }
    proxy.heal();
    await until(() => !isOpen(alice), 'told', 10_000);
    assert.equal(alice.connection.closedWith, 1012);
    assert.deepEqual(alice.texts, ['0'], 'nothing after the hole');
    await ready();
    const back = await far.enter('tea', alice.position);
    assert.deepEqual([back.joined.recovered, back.joined.epoch], [false, alice.joined.epoch]);
    const late = await far.enter('tea', { ...alice.position, offset: 395 });
    assert.deepEqual([late.joined.recovered, late.texts.length], [true, 6]);
    assert.deepEqual(near.gaps, []);
    await far.stop();
  });

  test('who comes from a node that has read further is recovered: its position is not a future one', async () => {
    await using proxy = await SilentProxy.start(server.port);
    const behind = await start({ url: `redis://127.0.0.1:${proxy.port}` });
    const ahead = await start();
    const [alice, bob] = [await behind.enter('tea'), await ahead.enter('tea')];
    proxy.cut('from');
    bob.say('1');
    await hears([bob], 1);
    const joining = behind.enter('tea', bob.position);
    proxy.heal();
    const back = await joining;
    assert.deepEqual([back.joined.recovered, back.texts], [true, []]);
    await hears([alice], 1);
    bob.say('2');
    await hears([back], 1);
    assert.deepEqual(back.texts, ['2']);
    await behind.stop();
  });

  test('cut connections: nothing is lost, repeated or reordered, and nobody is told', async () => {
    const { both, guests } = await startTwo();
    const said: string[] = [];
    for (let number = 0; number < 400; number++) {
      if (guests[0].say(`${number}`)) said.push(`${number}`);
      if (number % 100 === 50) await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await sleep(1);
    }
    await hears(guests, said.length);
    for (const { texts } of guests) assert.deepEqual(texts, said);
    assert.equal(said.length, 400);
    assert.deepEqual([...both[0].gaps, ...both[1].gaps], []);
  });

  test('entries of others: a forged one is refused, and one that blocks the log ends its epoch', async () => {
    const { guests } = await startTwo({ secret: 'only the nodes know it' });
    guests[0].say('1');
    await hears(guests, 1);
    const { stream } = keysOf(channel, 0);
    const entry = (await admin.xrevrangeBuffer(stream, '+', '-', 'COUNT', 1))[0]!;
    const fields = entry[1].map((field) => Buffer.from(field));
    fields[1]![40]! ^= 1;
    await admin.call('XADD', stream, '*', ...fields);
    guests[0].say('2');
    await until(() => !guests.some(isOpen), 'told');
    for (const { texts } of guests) assert.deepEqual(texts, ['1']);
    await ready();
    const back = await nodes[0]!.enter('tea', guests[0].position);
    assert.equal(back.joined.recovered, false);
    await until(() => back.say('3') && back.texts.includes('3'), 'talking again');
  });

  test('a partition whose log is blocked does not delay the others, though they are written together', async () => {
    const options = { partitions: 2, heartbeatIntervalMs: 5_000, batchIntervalMs: 0 };
    const node = await start(options);
    const rooms = ['tea', 'milk'].map((room) => ({ room, partition: partitionOf(room, 2) }));
    assert.deepEqual(new Set(rooms.map(({ partition }) => partition)), new Set([0, 1]));
    const [tea, milk] = [await node.enter('tea'), await node.enter('milk')];
    const { stream } = keysOf(channel, rooms[0]!.partition);
    await admin.call('XADD', stream, `${Number.MAX_SAFE_INTEGER}-0`, 'not', 'ours');
    const begun = performance.now();
    for (let number = 0; number < 20; number++) {
      assert.ok(tea.say(`refused ${number}`));
      milk.say(`${number}`);
      await until(() => milk.texts.length === number + 1, 'the other partition goes on');
    }
    // Each round that waited for a heartbeat would take five seconds.
    assert.ok(performance.now() - begun < 4_000);
    assert.deepEqual(tea.texts, []);
  });
});

/** Failures of a real Redis in which pub/sub loses messages silently: each one ends in a gap. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ownRedisBinary, type RedisServer, startRedisServer } from '#host/redis-server.ts';
import { SilentProxy } from '#host/silent-proxy.ts';
import { until } from '../../testing/until.ts';
import { Listener } from './backplane.contract.ts';
import { BatchQueue } from './batch.ts';
import { type RedisPubSubOptions, redisPubSub } from './redis-pub-sub.ts';

const binary = await ownRedisBinary();
const reason =
  'there is no redis-server that may be frozen and killed: install one, or run as root on Debian';

describe('failures of the Redis backplane', { skip: binary === null && reason }, () => {
  const heartbeatIntervalMs = 50;
  let server: RedisServer;
  let admin: Redis;
  let channel = '';
  let listeners: Listener[] = [];

  beforeEach(async () => {
    server ??= await startRedisServer(binary!);
    admin = new Redis(server.url, { retryStrategy: () => null });
    admin.on('error', () => {});
    channel = `test:${randomUUID()}`;
  });

  afterEach(async () => {
    await Promise.all(listeners.map(({ backplane }) => backplane.close()));
    listeners = [];
    admin.disconnect();
  });

  after(() => server[Symbol.asyncDispose]());

  function make(options: Partial<RedisPubSubOptions>): Listener {
    const defaults = { url: server.url, channel, heartbeatIntervalMs };
    const listener = new Listener(redisPubSub({ ...defaults, ...options }));
    listeners.push(listener);
    return listener;
  }

  async function started(options: Partial<RedisPubSubOptions> = {}): Promise<Listener> {
    const listener = make(options);
    await listener.start();
    return listener;
  }

  async function assertTalking(all: readonly Listener[]): Promise<void> {
    await until(() => all.every(({ backplane }) => backplane.ready), 'ready again');
    const text = `talking ${randomUUID()}`;
    assert.equal(all[0]!.publish('tea', text), true);
    await until(() => all.every((listener) => listener.texts('tea').includes(text)), 'received by all');
  }

  test('a cut subscription is reported once, and messages flow again', async () => {
    const [alice, bob] = [await started(), await started()];
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => alice.gaps.length + bob.gaps.length === 2, 'both told');
    await assertTalking([alice, bob]);
    await sleep(3 * heartbeatIntervalMs);
    assert.deepEqual([alice.gaps.length, bob.gaps.length], [1, 1]);
  });

  test('a cut publishing connection loses nothing, repeats nothing and causes no gap', async () => {
    const [alice, bob] = [await started(), await started()];
    const accepted: string[] = [];
    for (let number = 0; number < 400; number++) {
      const text = `${number}`;
      if (alice.publish('tea', text)) accepted.push(text);
      if (number % 100 === 50) await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await sleep(1);
    }
    await until(() => bob.received.length >= accepted.length, 'all accepted ones received');
    await assertTalking([bob, alice]);
    for (const listener of [alice, bob]) {
      assert.deepEqual(listener.texts('tea').slice(0, accepted.length), accepted);
      assert.deepEqual(listener.gaps, []);
    }
    assert.ok(accepted.length >= 100);
  });

  test('a frozen Redis is noticed and reported while it is frozen, and used again when it wakes', async () => {
    const [alice, bob] = [await started(), await started()];
    alice.publish('tea', 'before');
    await until(() => bob.received.length === 1, 'received before');
    server.process.signal('SIGSTOP');
    assert.equal(alice.publish('tea', 'while frozen'), true);
    await until(() => !alice.backplane.ready && !bob.backplane.ready, 'unready', 2000);
    assert.equal(alice.publish('tea', 'refused'), false);
    await sleep(500);
    server.process.signal('SIGCONT');
    await assertTalking([alice, bob]);
    const lost = 'the subscription to Redis was lost: Redis is silent';
    assert.deepEqual(bob.gaps, [lost]);
    assert.deepEqual(alice.gaps, [lost, 'messages that were accepted could not be handed to Redis in time']);
    for (const { received } of [alice, bob]) {
      assert.equal(new Set(received.map(({ text }) => text)).size, received.length, 'nothing twice');
      assert.ok(received.every(({ text }) => text !== 'refused'));
    }
  });

  test('a process that was itself frozen sees no gap: it receives everything late', async () => {
    const [alice, bob] = [await started(), await started()];
    alice.publish('tea', 'before');
    const endAtMs = performance.now() + 12 * heartbeatIntervalMs;
    while (performance.now() < endAtMs);
    await sleep(4 * heartbeatIntervalMs);
    await assertTalking([alice, bob]);
    assert.deepEqual([...alice.gaps, ...bob.gaps], []);
    assert.equal(bob.texts('tea')[0], 'before');
  });

  test('a network that drops packets costs only the node behind it, and no message arrives late', async () => {
    await using proxy = await SilentProxy.start(server.port);
    const [far, near] = [await started({ url: `redis://127.0.0.1:${proxy.port}` }), await started()];
    proxy.cut();
    assert.equal(far.publish('tea', 'sent into the broken network'), true);
    await until(() => far.gaps.length === 1, 'the far one told', 2000);
    assert.equal(far.backplane.ready, false);
    assert.equal(near.publish('tea', 'sent meanwhile'), true);
    await sleep(200);
    proxy.heal();
    await assertTalking([far, near]);
    assert.deepEqual(near.gaps, []);
    assert.match(far.gaps.join(), /subscription to Redis was lost.*could not be handed to Redis in time/);
    assert.equal(far.gaps.length, 2);
    assert.ok(!near.texts('tea').includes('sent into the broken network'));
    assert.ok(!far.texts('tea').includes('sent meanwhile'));
    await far.backplane.close();
  });

  test('a reader so slow that Redis cuts it off gets a gap', async () => {
    await using proxy = await SilentProxy.start(server.port);
    const patient = { silentTicksMax: 1000, url: `redis://127.0.0.1:${proxy.port}` };
    const [slow, fast] = [await started(patient), await started()];
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 1');
    proxy.cut();
    const payload = 'x'.repeat(100_000);
    const subscribers = async () => Number((await admin.pubsub('NUMSUB', channel))[1]);
    while ((await subscribers()) > 1) {
      fast.publish('tea', payload);
      await sleep(2);
    }
    assert.deepEqual(slow.gaps, [], 'the gap does not show yet');
    proxy.heal();
    await until(() => slow.gaps.length === 1, 'told as soon as the gap shows');
    await assertTalking([slow, fast]);
    assert.deepEqual(fast.gaps, []);
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
    await slow.backplane.close();
  });

  test('a Redis that became a replica makes the node unready until it is a primary again, and causes a gap', async () => {
    const alice = await started();
    await admin.replicaof('127.0.0.1', 1);
    await until(() => !alice.backplane.ready, 'unready');
    assert.equal(alice.publish('tea', 'to a replica'), false);
    await admin.replicaof('NO', 'ONE');
    await assertTalking([alice]);
    assert.equal(alice.gaps.length, 1);
  });

  test('a missing number and an unreadable batch each cause a gap', async () => {
    const alice = await started();
    const publisher = randomBytes(8).toString('hex');
    const say = (sequence: number) => {
      const queue = new BatchQueue();
      queue.push('tea', Buffer.from(`${sequence}`));
      const header = { kind: 'messages', publisher, sequence, publishedAtMs: 0 } as const;
      return admin.publish(channel, queue.take(header, 1000));
    };
    for (const sequence of [7, 8, 8, 7, 10, 9]) await say(sequence);
    await until(() => alice.received.length === 3, 'the new ones received');
    assert.deepEqual(alice.texts('tea'), ['7', '8', '10']);
    assert.equal(alice.gaps.length, 1);
    await admin.publish(channel, 'not a batch');
    await until(() => alice.gaps.length === 2, 'told of the unreadable batch');
  });

  test('publishing to one server and subscribing at another is noticed before the first session', async () => {
    await using other = await startRedisServer(binary!);
    await using proxy = await SilentProxy.start(server.port, other.port, server.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    await assert.rejects(make({ url, startDeadlineMs: 800 }).start(), /does not come back/);
  });

  test('after Redis was killed and started anew: one gap, ready again by itself, nothing received twice', async () => {
    const [alice, bob] = [await started(), await started()];
    const { port } = server;
    server.process.signal('SIGKILL');
    await until(() => !alice.backplane.ready && !bob.backplane.ready, 'unready', 1000);
    await server[Symbol.asyncDispose]();
    server = await startRedisServer(binary!, { port });
    await assertTalking([alice, bob]);
    assert.deepEqual([alice.gaps.length, bob.gaps.length], [1, 1]);
  });

  test('without a Redis it does not start, and the error names the address but not the password', async () => {
    const lost = make({ url: 'redis://user:secret@127.0.0.1:1', startDeadlineMs: 200 });
    await assert.rejects(lost.start(), ({ message }: Error) => {
      assert.match(message, /127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/);
      assert.doesNotMatch(message, /secret/);
      return true;
    });
  });
});

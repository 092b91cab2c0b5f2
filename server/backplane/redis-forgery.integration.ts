/** Messages on the channel that no node has sent: none of them stops a node or makes it deaf to others. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { until } from '../../testing/until.ts';
import { Listener } from './backplane.contract.ts';
import { type BatchHeader, BatchQueue, batchHeaderBytes, epochMs, readBatchHeader } from './batch.ts';
import { createBackplaneMeter } from './meter.ts';
import { type RedisPubSubOptions, redisOptionsOf, redisPubSub } from './redis-pub-sub.ts';
import { sign } from './signature.ts';

const startRedis = await findRedis();

describe('forged messages on the Redis channel', { skip: startRedis === null && noRedis }, () => {
  let service: Awaited<ReturnType<NonNullable<typeof startRedis>>>;
  let mallory: Redis;
  let channel = '';
  /** Every batch that a node has sent, as it was on the channel. */
  let overheard: Buffer[] = [];
  let listeners: Listener[] = [];

  beforeEach(async () => {
    service ??= await startRedis!();
    mallory = new Redis(service.url);
    channel = `test:${randomUUID()}`;
    overheard = [];
    const ear = mallory.duplicate();
    ear.on('messageBuffer', (_channel: Buffer, batch: Buffer) => overheard.push(batch));
    await ear.subscribe(channel);
    mallory.once('end', () => ear.disconnect());
  });

  afterEach(async () => {
    await Promise.all(listeners.map(({ backplane }) => backplane.close()));
    listeners = [];
    mallory.disconnect();
  });

  after(() => service?.[Symbol.asyncDispose]());

  async function started(options: Partial<RedisPubSubOptions> = {}) {
    const registry = new Registry();
    const meter = createBackplaneMeter(registry);
    const defaults = { url: service.url, channel, heartbeatIntervalMs: 50, meter };
    const listener = new Listener(redisPubSub({ ...defaults, ...options }));
    listeners.push(listener);
    await listener.start();
    const refused = async (reason: string) =>
      (await meter.refused.get()).values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    return Object.assign(listener, { refused });
  }

  /** The last batch that a node sent, with another header and other messages. */
  const forge = (change: Partial<BatchHeader>, text = 'forged') => {
    const queue = new BatchQueue();
    queue.push('tea', Buffer.from(text));
    return queue.take({ ...readBatchHeader(overheard.at(-1)!), ...change }, 10_000);
  };

  const say = async (number: number, from: Listener, all: readonly Listener[]) => {
    const text = `message ${number}`;
    assert.equal(from.publish('tea', text), true);
    await until(
      () => all.every((listener) => listener.texts('tea').includes(text)),
      `${text} received by all`,
    );
  };

  /** Both nodes say something in turn, and every message must reach both, once. */
  async function assertTalking(all: readonly Listener[]): Promise<void> {
    for (let number = 0; number < 10; number++) await say(number, all[number % all.length]!, all);
    for (const { received } of all)
      assert.equal(new Set(received.map(({ text }) => text)).size, received.length, 'nothing twice');
  }

  test('a time that is no number, a room that cannot exist and bytes that are not UTF-8 are refused', async () => {
    const [alice, bob] = [await started(), await started()];
    await mallory.publish(channel, forge({ publishedAtMs: Number.NaN }));
    const header = { kind: 'messages', publisher: randomBytes(8).toString('hex'), publishedAtMs: 0 } as const;
    for (const [room, payload] of [
      ['a/b', Buffer.from('x')],
      ['tea', Buffer.from([0xff])],
    ] as const) {
      const queue = new BatchQueue();
      queue.push('tea', Buffer.from('whole'));
      queue.push(room, payload);
      await mallory.publish(channel, queue.take({ ...header, sequence: 1 }, 10_000));
    }
    await until(() => alice.gaps.length === 3 && bob.gaps.length === 3, 'each is a gap');
    assert.equal(await alice.refused('unreadable'), 3);
    await assertTalking([alice, bob]);
    assert.deepEqual(new Set(alice.texts('tea').filter((text) => !text.startsWith('message'))), new Set());
  });

  test('a sequence that no node can have reached changes nothing', async () => {
    const [alice, bob] = [await started(), await started()];
    await say(100, alice, [alice, bob]);
    for (const sequence of [2 ** 47, 2 ** 48 - 1]) await mallory.publish(channel, forge({ sequence }));
    const publisher = randomBytes(8).toString('hex');
    await mallory.publish(channel, forge({ sequence: 2 ** 47, publisher }));
    await assertTalking([alice, bob]);
    assert.deepEqual([...alice.gaps, ...bob.gaps], []);
    assert.equal(await bob.refused('sequence'), 3);
    assert.equal(bob.texts('tea').includes('forged'), false);
  });

  for (const ahead of [1, 2, 1_000]) {
    test(`a batch under the id of a node, ${ahead} ahead of it, makes the node take a new id: nothing is lost`, async () => {
      const [alice, bob] = [await started({ heartbeatIntervalMs: 10_000 }), await started()];
      await say(100, alice, [alice, bob]);
      const last = overheard.findLast((batch) => batch.length > batchHeaderBytes)!;
      const { publisher, sequence } = readBatchHeader(last);
      // In one turn, so that a batch of the node follows the forged one before the node has read it.
      const forged = mallory.publish(
        channel,
        forge({ publisher, sequence: sequence + ahead, publishedAtMs: epochMs() }),
      );
      await assertTalking([alice, bob]);
      await forged;
      await assertTalking([alice, bob].reverse());
      assert.equal(await alice.refused('impersonation'), 1);
      assert.equal(alice.texts('tea').includes('forged'), false);
      assert.deepEqual(
        bob.gaps.length,
        ahead === 1 ? 0 : 1,
        'a jump is a gap, because it cannot be told from one',
      );
    });
  }

  test('batches that are sent again, in or out of order or after a goodbye, are delivered once', async () => {
    const [alice, bob] = [await started(), await started()];
    await say(100, alice, [alice, bob]);
    await alice.backplane.close();
    await sleep(100);
    const before = bob.received.length;
    for (const batch of [...overheard, ...overheard.toReversed()]) await mallory.publish(channel, batch);
    await say(101, bob, [bob]);
    assert.equal(bob.received.length, before + 1);
    assert.deepEqual(bob.gaps, []);
  });

  test('with a secret, only batches signed with it count; nothing else is even a gap', async () => {
    const [alice, bob] = [await started({ secret: 'tea' }), await started({ secret: 'tea' })];
    await say(100, alice, [alice, bob]);
    const header: BatchHeader = {
      kind: 'messages',
      publisher: 'f'.repeat(16),
      sequence: 1,
      publishedAtMs: 0,
    };
    const queue = new BatchQueue();
    queue.push('tea', Buffer.from('forged'));
    const forged = queue.take(header, 1000);
    const signed = sign(forged, channel, 'tea');
    const tampered = Buffer.from(signed);
    tampered[30]! ^= 1;
    const others = [sign(forged, channel, 'coffee'), sign(forged, 'another channel', 'tea')];
    const bad = [forged, tampered, signed.subarray(1), Buffer.alloc(0), Buffer.from('garbage'), ...others];
    for (const bytes of bad) await mallory.publish(channel, bytes);
    await assertTalking([alice, bob]);
    assert.deepEqual([...alice.gaps, ...bob.gaps], []);
    assert.equal(await bob.refused('signature'), bad.length);
    assert.equal(bob.texts('tea').includes('forged'), false);
  });

  test('chats with different namespaces, or different databases, on one Redis do not hear each other', async () => {
    const settings = { redisUrl: service.url, redisNamespace: randomUUID(), redisSecret: '' };
    const all: Listener[] = [];
    for (const options of [
      redisOptionsOf(settings),
      redisOptionsOf({ ...settings, redisUrl: `${service.url}/1` }),
      redisOptionsOf({ ...settings, redisUrl: `${service.url}/2` }),
      redisOptionsOf({ ...settings, redisNamespace: randomUUID() }),
    ])
      all.push(await started(options));
    for (const [number, listener] of all.entries()) await say(number, listener, [listener]);
    await sleep(100);
    for (const [number, listener] of all.entries())
      assert.deepEqual(listener.texts('tea'), [`message ${number}`]);
  });

  test('the channel of a chat without settings stays the same, so that old and new nodes hear each other', () => {
    const settings = { redisNamespace: 'chat', redisSecret: '' };
    for (const redisUrl of ['redis://host', 'redis://host/', 'redis://host/0'])
      assert.equal(redisOptionsOf({ ...settings, redisUrl }).channel, 'chat:1');
  });
});

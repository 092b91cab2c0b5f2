/** The list of living nodes in a real Redis. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { failures, partOf } from '../redis/cluster.fixture.ts';
import { RedisRegistry } from './registry.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

function setUp(key: string) {
  const registry = new RedisRegistry({ url: redis!.url, key, answerMsMax: 1_000 });
  const client = new Redis(redis!.url);
  const close = async () => {
    registry.close();
    await client.del(key);
    client.disconnect();
  };
  return { registry, client, [Symbol.asyncDispose]: close };
}

test('each node reads the texts of all that live; one that stops renewing is gone', { skip }, async () => {
  await using setup = setUp('test:expiry');
  const { registry, client } = setup;
  assert.deepEqual(await registry.renew('a', 'text of a', 100), ['text of a']);
  assert.deepEqual((await registry.renew('b', 'text of b', 5_000)).toSorted(), ['text of a', 'text of b']);
  assert.deepEqual((await registry.renew('a', 'new\ntext', 100)).toSorted(), ['new\ntext', 'text of b']);
  const endAtMs = performance.now() + 5_000;
  while ((await registry.renew('b', 'text of b', 5_000)).length > 1) {
    assert.ok(performance.now() < endAtMs, 'a is still there');
    await sleep(10);
  }
  assert.deepEqual(await client.hkeys('test:expiry'), ['b'], 'the dead one is removed');
  await registry.remove('b');
  assert.equal(await client.exists('test:expiry'), 0);
});

test('the list of a chat that has ended expires as a whole; foreign fields are dropped', {
  skip,
}, async () => {
  await using setup = setUp('test:rest');
  const { registry, client } = setup;
  await client.hset('test:rest', 'foreign', 'no time before it');
  assert.deepEqual(await registry.renew('a', 'text', 3_000), ['text']);
  assert.deepEqual(await client.hkeys('test:rest'), ['a']);
  const leftMs = await client.pttl('test:rest');
  assert.ok(leftMs > 0 && leftMs <= 3_000, `${leftMs} ms`);
});

test('a lost connection fails the renewal under way, and a later one works', { skip }, async () => {
  await using setup = setUp('test:lost');
  const { registry, client } = setup;
  await registry.renew('a', 'text', 3_000);
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  const endAtMs = performance.now() + 5_000;
  for (;;) {
    const answer = await registry.renew('a', 'text', 3_000).catch(() => undefined);
    if (answer) return assert.deepEqual(answer, ['text']);
    assert.ok(performance.now() < endAtMs, 'no renewal works');
    await sleep(10);
  }
});

const startCluster = await findRedisCluster();

test('on a cluster it is where its slot is: renewals work again after a failover, and all are listed', {
  skip: startCluster === null && noRedisCluster,
}, async () => {
  await using cluster = await startCluster!();
  const key = '{chat:1}:members';
  const names = ['a', 'b'];
  const registries = names.map(() => new RedisRegistry({ url: cluster.url, key, answerMsMax: 500 }));
  /** Renews until both nodes read both texts: a renewal may fail while a failover is under way. */
  const bothListed = async () => {
    const endAtMs = performance.now() + 10_000;
    for (;;) {
      const renew = (registry: RedisRegistry, index: number) =>
        registry.renew(names[index]!, `text of ${names[index]}`, 3_000).catch(() => []);
      const lists = await Promise.all(registries.map(renew));
      if (lists.every((list) => list.length === 2)) return;
      assert.ok(performance.now() < endAtMs, JSON.stringify(lists));
      await sleep(20);
    }
  };
  try {
    await bothListed();
    for (const failure of failures) {
      await failure.strike(cluster, await partOf(cluster, key));
      await bothListed();
      for (const node of cluster.nodes) if (node.process.howEnded() !== null) await node.restart();
      await cluster.settled();
    }
    // The slot may have moved once more since the last renewal, and not every node knows at once.
    const endAtMs = performance.now() + 10_000;
    const again = async <T>(ask: () => Promise<T>): Promise<T> => {
      for (;;)
        try {
          return await ask();
        } catch (error) {
          if (performance.now() > endAtMs) throw error;
          await sleep(20);
        }
    };
    await again(() => registries[0]!.remove('a'));
    assert.deepEqual(await again(() => registries[1]!.renew('b', 'alone', 3_000)), ['alone']);
  } finally {
    for (const registry of registries) registry.close();
  }
});

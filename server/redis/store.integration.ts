/** The client of stores at a real Redis, and at a real Redis Cluster of processes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ownRedisBinary, startRedisServer } from '#host/redis-server.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { until } from '../../testing/until.ts';
import { failures, heal, partOf } from './cluster.fixture.ts';
import { defineScript, RedisStore, StoreError } from './store.ts';

const startRedis = await findRedis();
const startCluster = await findRedisCluster();
const binary = await ownRedisBinary();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const add = defineScript(
  `redis.call('INCRBY', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('GET', KEYS[1])}`,
);

async function setUp(url: string) {
  const store = new RedisStore({ url, timeoutMs: 500 });
  await store.start();
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

test('commands and scripts are answered, also after Redis has forgotten the scripts', { skip }, async () => {
  await using setup = await setUp(redis!.url);
  const { store } = setup;
  await store.call('DEL', 'test:store');
  const answers = [1, 2, 3].map((n) => store.run(add, ['test:store'], [n]));
  assert.deepEqual(await Promise.all(answers), [
    ['test:store', '1'],
    ['test:store', '3'],
    ['test:store', '6'],
  ]);
  await store.call('SCRIPT', 'FLUSH');
  assert.deepEqual(await store.run(add, ['test:store'], [4]), ['test:store', '10']);
  assert.equal(await store.call('GET', 'test:store'), '10');
  await assert.rejects(store.call('LPUSH', 'test:store', 'x'), (error: Error) => {
    assert.ok(error instanceof StoreError);
    assert.match(error.message, /WRONGTYPE/);
    return true;
  });
  await store.call('DEL', 'test:store');
});

test('while Redis is frozen or gone each command rejects in time, and afterwards they work again', {
  skip: binary ? false : noRedis,
}, async () => {
  await using server = await startRedisServer(binary!);
  await using setup = await setUp(server.url);
  const { store } = setup;
  await store.run(add, ['k'], [1]);
  server.process.signal('SIGSTOP');
  const startedAtMs = performance.now();
  const asked = Array.from({ length: 1000 }, () => store.run(add, ['k'], [1]));
  for (const one of await Promise.allSettled(asked)) {
    assert.equal(one.status, 'rejected');
    assert.ok((one.reason as Error) instanceof StoreError);
  }
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs < 3_000, `${tookMs} ms`);
  server.process.signal('SIGCONT');
  await until(async () => (await store.run(add, ['k'], [1]).catch(() => null)) !== null, 'it works again');
  server.process.signal('SIGKILL');
  await until(() => !store.ready, 'the loss is seen');
  const refusedAtMs = performance.now();
  await assert.rejects(store.run(add, ['k'], [1]), /not connected/);
  assert.ok(performance.now() - refusedAtMs < 100, 'at once');
});

test('a store that cannot be reached says so, without its password', async () => {
  const store = new RedisStore({ url: 'redis://user:hidden@127.0.0.1:1', startDeadlineMs: 200 });
  await assert.rejects(store.start(), (error: Error) => {
    assert.match(error.message, /^redis:\/\/127\.0\.0\.1:1 cannot be used as a store: .*ECONNREFUSED/);
    return true;
  });
});

test('on a cluster each command finds its slot, also after every failover', {
  skip: startCluster ? false : noRedisCluster,
}, async () => {
  await using cluster = await startCluster!();
  await using setup = await setUp(cluster.url);
  const { store } = setup;
  const keys = Array.from({ length: 50 }, (_, n) => `test:{${n}}:sum`);
  await Promise.all(keys.map((key) => store.run(add, [key], [1])));
  for (const { name, strike } of failures) {
    const part = await partOf(cluster, keys[0]!);
    await strike(cluster, part);
    const works = (key: string) => store.run(add, [key], [0]).then(Boolean, () => false);
    await until(async () => (await Promise.all(keys.map(works))).every(Boolean), name, 15_000);
    await heal(cluster);
  }
});

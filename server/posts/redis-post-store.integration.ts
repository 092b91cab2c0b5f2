/** The guarantees of the store of posts in Redis, on a real one and on a real cluster. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { RedisStore } from '../redis/store.ts';
import { postDefaults } from './post-options.ts';
import { encodeNewPost } from './post-record.ts';
import { postStoreContract } from './post-store.contract.ts';
import { RedisPostStore } from './redis-post-store.ts';

const startRedis = await findRedis();
if (startRedis === null) console.log(`skipped: posts in Redis: ${noRedis}`);
else {
  const redis = await startRedis();
  after(() => redis[Symbol.asyncDispose]());
  const stores = await connect(redis.url);
  runContract('Redis', stores);

  test('nothing is left in Redis of posts that expired, but the newest id', async () => {
    const channel = `test:${randomUUID()}`;
    const limits = { ...postDefaults, postLifetimeMs: 100, postPeriodMs: 100, postsPerPersonMax: 1000 };
    const store = new RedisPostStore(stores[0], channel, limits);
    const publish = (channels: string[]) => {
      const posts = [encodeNewPost('cars', 'eve', channels, { to: [[0]], body: 'b' })];
      return store.publish('cars', { id: '', author: 'eve', posts });
    };
    for (let count = 0; count < 300; count++) await publish([`c${count}`, 'all']);
    const keysNow = async () => ((await stores[0].call('KEYS', `${channel}:*`)) as string[]).sort();
    const key = (name: string) => `${channel}:posts:{cars}:${name}`;
    const deadlineAtMs = Date.now() + 5_000;
    while ((await keysNow()).length > 3)
      assert.ok(Date.now() < deadlineAtMs, 'channels and limits end by themselves');
    assert.deepEqual(await keysNow(), ['all', 'last', 'posts'].map(key));
    // Each publish removes some of the posts that expired.
    await publish(['c0']);
    await publish(['c0']);
    assert.ok(((await stores[0].call('ZCARD', key('all'))) as number) <= 2);
    assert.ok(((await stores[0].call('HLEN', key('posts'))) as number) <= 2);
  });
}

const startCluster = await findRedisCluster();
if (startCluster === null) console.log(`skipped: posts on Redis Cluster: ${noRedisCluster}`);
else {
  const cluster = await startCluster();
  after(() => cluster[Symbol.asyncDispose]());
  runContract('Redis Cluster', await connect(cluster.url));
}

/** Two connections, as two processes have them. */
async function connect(url: string): Promise<[RedisStore, RedisStore]> {
  const stores: [RedisStore, RedisStore] = [new RedisStore({ url }), new RedisStore({ url })];
  for (const store of stores) await store.start();
  after(() => Promise.all(stores.map((store) => store.close())));
  return stores;
}

function runContract(name: string, stores: readonly [RedisStore, RedisStore]): void {
  postStoreContract({
    name,
    create: (limits) => {
      const channel = `test:${randomUUID()}`;
      const [one, other] = stores.map((store) => new RedisPostStore(store, channel, limits));
      return [one!, other!];
    },
  });
}

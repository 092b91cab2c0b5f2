/** Accounts in a real Redis and in a real Redis Cluster, and what is to be found there. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { RedisStore } from '../redis/store.ts';
import { accountStoreContract } from './account-store.contract.ts';
import { RedisAccountStore } from './redis-account-store.ts';

async function openAt(url: string) {
  const redis = new RedisStore({ url });
  const prefix = `test-${randomUUID()}`;
  const store = new RedisAccountStore(redis, prefix);
  await store.start();
  return Object.assign(store, { redis, prefix, [Symbol.asyncDispose]: () => store.close() });
}

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
const startCluster = await findRedisCluster();
const cluster = await startCluster?.();
after(async () => {
  await redis?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

accountStoreContract('accounts in Redis', () => openAt(redis!.url), skip);
accountStoreContract(
  'accounts in Redis Cluster',
  () => openAt(cluster!.url),
  cluster ? false : noRedisCluster,
);

test('everything about logins expires with them, and the account does not', { skip }, async () => {
  await using store = await openAt(redis!.url);
  await store.create('bob', 'hash');
  await store.addLogin({ person: { user: 'bob', device: 'phone' }, digest: 'd1' }, 60_000, 10);
  const keys = (await store.redis.call('KEYS', `${store.prefix}:*`)) as string[];
  const expected = ['account:{bob}', 'login:{d1}', 'logins:{bob}'].map((key) => `${store.prefix}:${key}`);
  assert.deepEqual(keys.toSorted(), expected);
  for (const key of expected) {
    const leftMs = (await store.redis.call('PTTL', key)) as number;
    if (key.includes('account')) assert.equal(leftMs, -1);
    else assert.ok(leftMs > 0 && leftMs <= 60_000, `${key}: ${leftMs} ms`);
  }
});

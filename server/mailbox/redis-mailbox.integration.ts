/** The guarantees of mailboxes, at a real Redis and at a real Redis Cluster of processes. */
import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { RedisStore } from '../redis/store.ts';
import { mailboxStoreContract } from './mailbox-store.contract.ts';
import { RedisMailbox } from './redis-mailbox.ts';

const startRedis = await findRedis();
if (startRedis === null) console.log(`skipped: mailboxes in Redis: ${noRedis}`);
else {
  const service = await startRedis();
  await contractAt('Redis', service.url, false);
  after(() => service[Symbol.asyncDispose]());
}

const startCluster = await findRedisCluster();
if (startCluster === null) console.log(`skipped: mailboxes in Redis Cluster: ${noRedisCluster}`);
else {
  const cluster = await startCluster();
  await contractAt('Redis Cluster', cluster.url, true);
  after(() => cluster[Symbol.asyncDispose]());
}

async function contractAt(name: string, url: string, isCluster: boolean): Promise<void> {
  const store = new RedisStore({ url });
  await store.start();
  after(() => store.close());
  const channel = `test:${randomUUID()}`;
  mailboxStoreContract(
    name,
    (limits, nowMs) => new RedisMailbox({ ...limits, store, channel, isCluster, nowMs }),
  );
}

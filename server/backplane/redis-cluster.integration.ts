/** The guarantees of the two backplanes over Redis, on a real Redis Cluster. */
import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { findRedisCluster, noRedisCluster } from '../../testing/redis-cluster.ts';
import { backplaneContract } from './backplane.contract.ts';
import { redisPubSub } from './redis-pub-sub.ts';
import { RedisStreamsBackplane } from './redis-streams.ts';

const startCluster = await findRedisCluster();
if (startCluster === null) console.log(`skipped: the backplanes on Redis Cluster: ${noRedisCluster}`);
else {
  const cluster = await startCluster();
  after(() => cluster[Symbol.asyncDispose]());
  const several = <T>(count: number, queueBytesMax: number | undefined, make: (options: Options) => T) => {
    const options = { url: cluster.url, channel: `test:${randomUUID()}` };
    return Array.from({ length: count }, () => make({ ...options, ...(queueBytesMax && { queueBytesMax }) }));
  };
  type Options = { url: string; channel: string; queueBytesMax?: number };
  const guarantees = { oneOrderForAll: true, crossesProcesses: true };
  backplaneContract({
    name: 'pub/sub on a cluster',
    create: (count, queueBytesMax) => several(count, queueBytesMax, redisPubSub),
    ...guarantees,
  });
  backplaneContract({
    name: 'streams on a cluster',
    create: (count, queueBytesMax) =>
      several(count, queueBytesMax, (options) => new RedisStreamsBackplane(options)),
    ...guarantees,
    onlyWanted: true,
  });
}

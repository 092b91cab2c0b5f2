/** A real Redis Cluster for tests: processes of our own, because they are killed and frozen. */
import { type RedisClusterServers, startRedisCluster } from '#host/redis-cluster.ts';
import { ownRedisBinary } from '#host/redis-server.ts';

export const noRedisCluster =
  'there is no redis-server of which a cluster could be made: install one, or run as root on Debian';

/** The way to start a cluster here, null where there is none. */
export async function findRedisCluster(): Promise<(() => Promise<RedisClusterServers>) | null> {
  const binary = await ownRedisBinary();
  return binary === null ? null : () => startRedisCluster(binary);
}

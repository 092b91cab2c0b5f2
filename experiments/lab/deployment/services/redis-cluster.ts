/**
 * How the lab gets a Redis Cluster: three primaries, each with a replica, as processes of a server from
 * PATH, else, on Debian as root, from the package. There is none of containers: experiments
 * that fail a cluster run as processes, where a failure takes the same time.
 */
import { readTreeUsage } from '#host/process-tree.ts';
import { StartError } from '#host/readiness.ts';
import { type RedisClusterNode, type RedisClusterServers, startRedisCluster } from '#host/redis-cluster.ts';
import { canInstallRedis, findRedisBinary, ownRedisBinary } from '#host/redis-server.ts';
import { versionOf } from './redis.ts';
import type { RunningService, ServiceProvider, ServiceRequest } from './service.ts';

export const redisClusterProvider: ServiceProvider = {
  name: 'redis-cluster',
  find: async (target = 'process') => {
    if (target === 'container') {
      const way =
        'Choose --target process: the lab makes a Redis Cluster of processes, and not of containers.';
      return { found: false, ways: [way] };
    }
    const binary = findRedisBinary();
    if (binary !== undefined) return { found: true, source: `${binary} on PATH, six times` };
    if (canInstallRedis()) return { found: true, source: 'apt-get install redis-server, six times' };
    return { found: false, ways: ['Install redis-server or valkey-server, version 7 or newer.'] };
  },
  start: async ({ target, launcher, signal }: ServiceRequest) => {
    const binary = target === 'process' ? await ownRedisBinary() : null;
    if (binary === null)
      throw new StartError('A Redis Cluster needs nodes that are processes, and redis-server.');
    await using started = new AsyncDisposableStack();
    const cluster = started.use(await startRedisCluster(binary, { launcher, signal }));
    const version = await versionOf(cluster.nodes[0]!.url);
    const owned = started.move();
    return { ...serviceOf(cluster, version), [Symbol.asyncDispose]: () => owned.disposeAsync() };
  },
};

function serviceOf(
  cluster: RedisClusterServers,
  version: string,
): Omit<RunningService, typeof Symbol.asyncDispose> {
  const { url, nodes } = cluster;
  /** The primary that was signalled first: it is no primary any more once it has a successor. */
  let signalled: RedisClusterNode | undefined;
  return {
    // The nodes of the chat are told of it as of one Redis.
    name: 'redis',
    role: 'redis',
    url,
    owned: true,
    fact: `${version} Cluster (3 primaries, each with a replica)`,
    signal: async (name) => {
      signalled ??= await busiestOf(cluster);
      signalled.process.signal(name);
    },
    restart: async () => {
      for (const node of nodes) if (node.process.howEnded() !== null) await node.restart();
      await cluster.settled();
      signalled = undefined;
    },
    sample: async () => {
      const usages = nodes.map(({ process }) => readTreeUsage(process.pid));
      const sum = (key: 'cpuSeconds' | 'rssBytes' | 'processes') =>
        usages.reduce((total, usage) => total + usage[key], 0);
      const ended = nodes.map(({ process }) => process.howEnded()).find((how) => how !== null);
      return {
        name: 'redis',
        role: 'redis',
        cpuSeconds: sum('cpuSeconds'),
        rssBytes: sum('rssBytes'),
        processes: sum('processes'),
        throttledSeconds: null,
        fault: ended ?? null,
      };
    },
  };
}

/** The primary to which clients have sent most. */
async function busiestOf({ nodes, ask }: RedisClusterServers): Promise<RedisClusterNode> {
  const loads = await Promise.all(
    nodes.map(async (node) => {
      const [info, role] = [await ask(node, ['INFO', 'stats']), await ask(node, ['ROLE'])];
      const bytes = Number(/^total_net_input_bytes:(\d+)/m.exec(info)?.[1]);
      return { node, bytes: role.startsWith('master') ? bytes : -1 };
    }),
  );
  return loads.toSorted((a, b) => b.bytes - a.bytes)[0]!.node;
}

/** Failures of a real Redis Cluster, for tests. */
import type { RedisClusterNode, RedisClusterServers } from '#host/redis-cluster.ts';
import { until } from '../../testing/until.ts';
import { placeOf } from './groups.ts';

export type Part = { readonly primary: RedisClusterNode; readonly replica: RedisClusterNode };

/** The nodes that have the slot of a key now. */
export async function partOf({ url, nodes, ask }: RedisClusterServers, key: string): Promise<Part> {
  const { port } = new URL(await placeOf(url, key).find());
  const primary = nodes.find((node) => node.port === Number(port))!;
  for (const replica of nodes) {
    const [role, , followed] = (await ask(replica, ['ROLE'])).split(',');
    if (role === 'slave' && followed === port) return { primary, replica };
  }
  throw new Error('this primary has no replica');
}

/** What takes the place of a primary, and what follows when the test has seen it. */
export type Failure = {
  readonly name: string;
  /** Resolves when the replica is the primary. */
  strike(cluster: RedisClusterServers, part: Part): Promise<void>;
};

const promoted = ({ ask }: RedisClusterServers, { replica }: Part) =>
  until(async () => (await ask(replica, ['ROLE'])).startsWith('master'), 'promoted', 15_000);

export const failures: readonly Failure[] = [
  {
    name: 'a failover that was asked for',
    strike: async (cluster, part) => {
      await cluster.ask(part.replica, ['CLUSTER', 'FAILOVER']);
      await promoted(cluster, part);
    },
  },
  {
    name: 'a primary that was killed',
    strike: async (cluster, part) => {
      part.primary.process.signal('SIGKILL');
      await promoted(cluster, part);
    },
  },
  {
    name: 'a primary that was frozen until it had a successor',
    strike: async (cluster, part) => {
      part.primary.process.signal('SIGSTOP');
      await promoted(cluster, part).finally(() => part.primary.process.signal('SIGCONT'));
    },
  },
];

/** The replica gets nothing more of what the primary writes, and can be promoted all the same. */
export async function stopReplication(
  { ask }: RedisClusterServers,
  { primary, replica }: Part,
): Promise<void> {
  // The primary has no password, and so refuses one.
  await ask(replica, ['CONFIG', 'SET', 'masterauth', 'refused']);
  await ask(primary, ['CLIENT', 'KILL', 'TYPE', 'replica']);
  const isDown = async () => /^master_link_status:down/m.test(await ask(replica, ['INFO', 'replication']));
  await until(isDown, 'the replica is cut off');
}

/** Begins to move a slot; what it resolves with moves its keys and ends the move. */
export async function beginMove(
  { ask }: RedisClusterServers,
  { slot, from, to }: { slot: number; from: RedisClusterNode; to: RedisClusterNode },
): Promise<() => Promise<void>> {
  const [source, target] = [await ask(from, ['CLUSTER', 'MYID']), await ask(to, ['CLUSTER', 'MYID'])];
  const setSlot = (node: RedisClusterNode, state: string, id: string) =>
    ask(node, ['CLUSTER', 'SETSLOT', String(slot), state, id]);
  await setSlot(to, 'IMPORTING', source);
  await setSlot(from, 'MIGRATING', target);
  return async () => {
    const keys = await ask(from, ['CLUSTER', 'GETKEYSINSLOT', String(slot), '1000']);
    const destination = ['127.0.0.1', String(to.port), '', '0', '5000'];
    if (keys !== '') await ask(from, ['MIGRATE', ...destination, 'KEYS', ...keys.split(',')]);
    for (const node of [to, from]) await setSlot(node, 'NODE', target);
  };
}

/** Starts what was killed, and resolves when each primary has its replica again. */
export async function heal(cluster: RedisClusterServers): Promise<void> {
  for (const node of cluster.nodes) {
    if (node.process.howEnded() !== null) await node.restart();
    await cluster.ask(node, ['CONFIG', 'SET', 'masterauth', '']);
  }
  await cluster.settled();
}

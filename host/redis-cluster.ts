/** A Redis Cluster of processes on this machine: three primaries, each with a replica. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePorts } from './free-ports.ts';
import { StartError } from './readiness.ts';
import { type RedisOptions, type RedisServer, startRedisServer } from './redis-server.ts';

/** One node. After its process was killed, `restart` starts it again with what it knew of the cluster. */
export type RedisClusterNode = {
  readonly url: string;
  readonly port: number;
  /** The process that runs now. */
  readonly process: RedisServer['process'];
  restart(): Promise<void>;
};

export type RedisClusterServers = AsyncDisposable & {
  /** The URLs of all nodes, with commas between them. */
  readonly url: string;
  /** First those that began as primaries, in the order of their slots, then their replicas. */
  readonly nodes: readonly RedisClusterNode[];
  /** Sends a node one command; resolves with the answer as text. */
  ask(node: RedisClusterNode, command: readonly string[]): Promise<string>;
  /** Resolves when the cluster works in the eyes of all nodes, and each primary has its replica. */
  settled(): Promise<void>;
};

const primaries = 3;
/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec */
const slotsTotal = 16_384;
/** Chosen: a failover soon after a node has died, and none because a busy machine was slow for a moment. */
const nodeTimeoutMs = 1000;
/** Chosen, not measured: nodes get to know each other within two seconds or so. */
const settleDeadlineMs = 20_000;

/** Rejects with a `StartError`. The program must be of version 7 or newer. */
export async function startRedisCluster(
  binary: string,
  { launcher = [], signal }: Pick<RedisOptions, 'launcher' | 'signal'> = {},
): Promise<RedisClusterServers> {
  await using started = new AsyncDisposableStack();
  const ports = await freePorts(4 * primaries);
  const nodes: StartedNode[] = [];
  for (let index = 0; index < 2 * primaries; index++) {
    const [port, busPort] = [ports[2 * index]!, ports[2 * index + 1]!];
    nodes.push(started.use(await startNode(binary, { port, busPort, launcher, signal })));
  }
  const settled = () => waitUntil(nodes, isSettled, signal);
  await introduce(nodes, signal);
  await settled();
  const owned = started.move();
  return {
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    ask,
    settled,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type StartedNode = RedisClusterNode & AsyncDisposable & { readonly busPort: number };
type NodeRequest = Pick<StartedNode, 'port' | 'busPort'> & Pick<RedisOptions, 'launcher' | 'signal'>;

async function startNode(
  binary: string,
  { port, busPort, launcher, signal }: NodeRequest,
): Promise<StartedNode> {
  // It outlives the process: a node that comes back must know who it is.
  const directory = mkdtempSync(join(tmpdir(), 'chat-redis-node-'));
  const args = [
    ...['--dir', directory, '--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0'],
  ];
  const options = { port, launcher, args };
  let server = await startRedisServer(binary, { ...options, signal }).catch((error: Error) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  return {
    url: server.url,
    port,
    busPort,
    get process() {
      return server.process;
    },
    restart: async () => {
      await server[Symbol.asyncDispose]();
      server = await startRedisServer(binary, options);
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Makes one cluster of nodes that do not know each other. */
async function introduce(nodes: readonly StartedNode[], signal: AbortSignal | undefined): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    await ask(node, ['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
    if (index < primaries) {
      const stretch = [index, index + 1].map((edge) => Math.round((edge * slotsTotal) / primaries));
      await ask(node, ['CLUSTER', 'ADDSLOTSRANGE', String(stretch[0]!), String(stretch[1]! - 1)]);
    }
    const address = ['127.0.0.1', String(node.port), String(node.busPort)];
    if (index > 0) await ask(nodes[0]!, ['CLUSTER', 'MEET', ...address]);
  }
  const knowsAll = async (node: RedisClusterNode) =>
    (await ask(node, ['CLUSTER', 'INFO'])).includes(`cluster_known_nodes:${nodes.length}\r`);
  await waitUntil(nodes, knowsAll, signal);
  for (const [index, node] of nodes.slice(primaries).entries())
    await ask(node, ['CLUSTER', 'REPLICATE', await ask(nodes[index]!, ['CLUSTER', 'MYID'])]);
}

/** True where a node sees a cluster that works, with a replica that follows each primary. */
async function isSettled(node: RedisClusterNode): Promise<boolean> {
  const info = await ask(node, ['CLUSTER', 'INFO']);
  const replication = await ask(node, ['INFO', 'replication']);
  const isPaired = /^(connected_slaves:1|master_link_status:up)\r/m.test(replication);
  return info.includes('cluster_state:ok\r') && isPaired;
}

async function waitUntil(
  nodes: readonly RedisClusterNode[],
  holds: (node: RedisClusterNode) => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadlineAtMs = performance.now() + settleDeadlineMs;
  for (const node of nodes) {
    while (!(await holds(node).catch(() => false))) {
      if (performance.now() > deadlineAtMs)
        throw new StartError(`The Redis Cluster was not ready within ${settleDeadlineMs / 1000} s.`);
      await sleep(20, undefined, { signal });
    }
  }
}

/** The answer to one command, as text. */
async function ask({ url }: RedisClusterNode, command: readonly string[]): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {}); // `connect` rejects as well.
  try {
    await client.connect();
    return String(await client.call(command[0]!, command.slice(1)));
  } finally {
    client.disconnect();
  }
}

/** Servers and a Redis as processes that may be frozen, cut off and killed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '#host/child-process.ts';
import { TargetError } from '../../deployment/deployment.ts';
import { type RedisServer, startRedisServer } from '../../deployment/services/redis.ts';
import { SilentProxy } from '../../deployment/silent-proxy.ts';

export type ClusterNode = { name: string; chatUrl: string; internalUrl: string; child: Child };

export type Cluster = AsyncDisposable & {
  nodes: readonly ClusterNode[];
  /** Where a stage needs one. */
  redis: RedisServer | null;
  /** The network between the first node and Redis. */
  network: SilentProxy | null;
  /** Starts Redis again on its old port, in place of the one that was killed. */
  restartRedis(): Promise<void>;
};

const serverMain = fileURLToPath(new URL('../../../../server/main.ts', import.meta.url));
const listenDeadlineMs = 15_000;
const stopGraceMs = 3000;

/** Starts that many nodes of a stage, with a Redis of their own where a binary is given. */
export async function startCluster(
  stage: string,
  nodes: number,
  args: readonly string[],
  redisBinary: string | null,
): Promise<Cluster> {
  await using started = new AsyncDisposableStack();
  const redis = redisBinary === null ? null : await startRedisServer(redisBinary);
  const network = redis === null ? null : started.use(await SilentProxy.start(redis.port));
  const running: ClusterNode[] = [];
  for (let number = 1; number <= nodes; number++) {
    const port = number === 1 ? network?.port : redis?.port;
    const service = port === undefined ? [] : ['--redis-url', `redis://127.0.0.1:${port}`];
    const node = await startNode(`node-${number}`, stage, [...args, ...service]);
    started.defer(() => node.child.stop('SIGKILL', stopGraceMs));
    running.push(node);
  }
  const owned = started.move();
  const cluster: Cluster = {
    nodes: running,
    redis,
    network,
    restartRedis: async () => {
      const { port } = cluster.redis!;
      await cluster.redis![Symbol.asyncDispose]();
      cluster.redis = await startRedisServer(redisBinary!, port);
    },
    [Symbol.asyncDispose]: async () => {
      await owned.disposeAsync();
      await cluster.redis?.[Symbol.asyncDispose]();
    },
  };
  return cluster;
}

/** Process ids of a node's workers. */
export function workersOf({ child }: ClusterNode): number[] {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

async function startNode(name: string, stage: string, args: readonly string[]): Promise<ClusterNode> {
  const listening = Promise.withResolvers<{ chat: string; internal: string }>();
  const child = await startChild({
    command: process.execPath,
    args: [serverMain, '--stage', stage, '--port', '0', '--internal-port', '0', ...args],
    onLine: (line) => {
      if (line.includes('"event":"listening"')) listening.resolve(JSON.parse(line));
    },
  });
  const timer = setTimeout(
    () => listening.reject(new TargetError(`${name} does not listen`)),
    listenDeadlineMs,
  );
  void child.exit.then(() =>
    listening.reject(new TargetError(`${name} ${child.howEnded()}:\n${child.lastLines()}`)),
  );
  try {
    const { chat, internal } = await listening.promise;
    return { name, chatUrl: chat, internalUrl: internal, child };
  } catch (error) {
    await child.stop('SIGKILL', stopGraceMs);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

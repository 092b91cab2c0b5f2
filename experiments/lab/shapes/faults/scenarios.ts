/** The failures, each with the stages that it applies to. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import type { Direction } from '#host/silent-proxy.ts';
import { encodeMessage, pathOfRoom } from '#protocol';
import type { DeployedService, Deployment } from '../../deployment/deployment.ts';
import {
  isPerCore,
  isScalable,
  needsRedis,
  type StageInfo,
  usesPubSub,
} from '../../deployment/list-stages.ts';
import { SkipVariant } from '../shape.ts';

export type Scenario = {
  name: string;
  /** The fault, in a clause. */
  about: string;
  /** Whether a stage can fail in this way, by what it declares. */
  appliesTo(stage: StageInfo): boolean;
  nodes: number;
  breakableNetwork?: boolean;
  /** Services in place of those that the stage declares. */
  services?: readonly string[];
  /** Resolves at the end of the fault, healed or not; rejects with a `SkipVariant` where it is impossible. */
  inject(deployment: Deployment, signal: AbortSignal): Promise<void>;
};

export const redisDownMs = 1000;
const frozenMs = 5000;
/** Chosen: a replica is promoted about two seconds after its primary has died, with a node timeout of 1 s. */
const successorMs = 4000;
export const cutMs = 5000;
const floodMessageBytes = 60_000;

/** In the order of the report. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'worker killed',
    about: 'one of two workers is killed with SIGKILL, and its supervisor starts another',
    appliesTo: isPerCore,
    nodes: 1,
    inject: ({ nodes }) => nodes[0]!.signalWorker(0, 'SIGKILL'),
  },
  {
    name: 'node killed',
    about: 'one of two nodes is killed with SIGKILL and stays away',
    appliesTo: isScalable,
    nodes: 2,
    inject: ({ nodes }) => nodes[0]!.signal('SIGKILL'),
  },
  {
    name: 'node drained',
    about: 'one of two nodes is drained with SIGTERM and stays away',
    appliesTo: isScalable,
    nodes: 2,
    inject: async ({ nodes }) => {
      await nodes[0]!.signal('SIGTERM');
      await nodes[0]!.ended;
    },
  },
  {
    name: 'Redis killed',
    about: `Redis is killed with SIGKILL and started again ${redisDownMs / 1000} s later`,
    appliesTo: needsRedis,
    nodes: 2,
    inject: async (deployment, signal) => {
      const redis = ownRedis(deployment);
      await redis.signal('SIGKILL');
      await sleep(redisDownMs, undefined, { signal });
      await redis.restart();
    },
  },
  {
    name: 'Redis frozen',
    about: `Redis is stopped with SIGSTOP for ${frozenMs / 1000} s`,
    appliesTo: needsRedis,
    nodes: 2,
    inject: freezesRedis(frozenMs),
  },
  {
    name: 'Redis Cluster failover',
    about: `on a Redis Cluster, the busiest of three primaries is killed with SIGKILL; its replica takes its place, and it comes back as a replica ${successorMs / 1000} s later`,
    appliesTo: needsRedis,
    nodes: 2,
    services: ['redis-cluster'],
    inject: async (deployment, signal) => {
      const cluster = ownRedis(deployment);
      await cluster.signal('SIGKILL');
      await sleep(successorMs, undefined, { signal });
      await cluster.restart();
    },
  },
  {
    name: 'output buffer overflowed',
    about:
      'one of two nodes is frozen until Redis, flooded through the other one, closes its subscription; then it continues',
    appliesTo: usesPubSub,
    nodes: 2,
    inject: overflowOutputBuffer,
  },
  {
    name: 'network cut',
    about: `between one of two nodes and Redis nothing passes for ${cutMs / 1000} s, while all connections stay open`,
    appliesTo: needsRedis,
    nodes: 2,
    breakableNetwork: true,
    inject: cutsNetwork(),
  },
];

/** Nothing passes between the first node and the services for some seconds, one way or both. */
export function cutsNetwork(direction?: Direction): Scenario['inject'] {
  return async ({ network }, signal) => {
    if (network === null) throw new SkipVariant('this deployment has no network that can be cut');
    network.cut(direction);
    await sleep(cutMs, undefined, { signal }).finally(() => network.heal());
  };
}

/** The first node is stopped for a time with all its processes, and then continues. */
export function freezesNode(frozenMs: number): Scenario['inject'] {
  return async ({ nodes: [node] }, signal) => {
    await node!.freeze();
    await sleep(frozenMs, undefined, { signal }).finally(() => node!.thaw());
  };
}

/** Redis is stopped for a time, and then continues. */
export function freezesRedis(frozenMs: number): Scenario['inject'] {
  return async (deployment, signal) => {
    const redis = ownRedis(deployment);
    await redis.signal('SIGSTOP');
    await sleep(frozenMs, undefined, { signal }).finally(() => redis.signal('SIGCONT'));
  };
}

/** The Redis of the deployment. One that the lab was only given must be neither frozen nor killed. */
export function ownRedis({ services }: Deployment): DeployedService {
  const redis = services.find(({ role }) => role === 'redis');
  if (redis?.owned === true) return redis;
  throw new SkipVariant('it needs a Redis that the lab started itself; unset REDIS_URL');
}

async function overflowOutputBuffer(deployment: Deployment, signal: AbortSignal): Promise<void> {
  const { url } = ownRedis(deployment);
  const [frozen, flooded] = deployment.nodes;
  const admin = new Redis(url);
  const flooder = new WebSocket(flooded!.chatUrl.replace(/\/ws$/, pathOfRoom('flood')));
  try {
    flooder.on('error', () => {}); // `once` rejects for those before it is open.
    await once(flooder, 'open');
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 1');
    await frozen!.signal('SIGSTOP');
    const flood = encodeMessage({ clientId: 'flooder', Message: 'x'.repeat(floodMessageBytes) });
    // The kernel's socket buffers take several megabytes before Redis has to buffer anything.
    while ((await countSubscribers(admin)) === deployment.nodes.length) {
      for (let count = 0; count < 10; count++) flooder.send(flood);
      await sleep(20, undefined, { signal });
    }
  } finally {
    await frozen!.signal('SIGCONT');
    flooder.terminate();
    admin.disconnect();
  }
}

/** Nodes name their subscriptions so: server/backplane/redis-subscriber.ts. */
async function countSubscribers(admin: Redis): Promise<number> {
  const list = String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return list.split('\n').filter((line) => line.includes('name=chat-subscribe-')).length;
}

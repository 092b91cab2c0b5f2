/** The failures: what is done to which cluster. Each resolves when the failing is over, healed or not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { encodeMessage, pathOfRoom } from '#protocol';
import { type Cluster, workersOf } from './cluster.ts';

export type Scenario = {
  name: string;
  stage: string;
  nodes: number;
  /** What is done, in a sentence. */
  about: string;
  strike(cluster: Cluster): Promise<void>;
};

const redisDownMs = 1000;
const frozenMs = 5000;
const cutMs = 5000;
const floodMessageBytes = 60_000;

/** In the order of the report. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'worker killed',
    stage: '04-cores',
    nodes: 1,
    about: 'one of two workers is killed with SIGKILL, and its supervisor starts another',
    strike: async ({ nodes }) => {
      process.kill(workersOf(nodes[0]!)[0]!, 'SIGKILL');
    },
  },
  {
    name: 'node killed',
    stage: '05-backplane',
    nodes: 2,
    about: 'one of two nodes is killed with SIGKILL and stays away',
    strike: async ({ nodes }) => nodes[0]!.child.signal('SIGKILL'),
  },
  {
    name: 'node drained',
    stage: '05-backplane',
    nodes: 2,
    about: 'one of two nodes is told to leave with SIGTERM and stays away',
    strike: async ({ nodes }) => {
      nodes[0]!.child.signal('SIGTERM');
      await nodes[0]!.child.exit;
    },
  },
  {
    name: 'Redis killed',
    stage: '05-backplane',
    nodes: 2,
    about: `Redis is killed with SIGKILL and started again ${redisDownMs / 1000} s later`,
    strike: async (cluster) => {
      cluster.redis!.signal('SIGKILL');
      await sleep(redisDownMs);
      await cluster.restartRedis();
    },
  },
  {
    name: 'Redis frozen',
    stage: '05-backplane',
    nodes: 2,
    about: `Redis is stopped with SIGSTOP for ${frozenMs / 1000} s`,
    strike: async ({ redis }) => {
      redis!.signal('SIGSTOP');
      await sleep(frozenMs);
      redis!.signal('SIGCONT');
    },
  },
  {
    name: 'output buffer overflowed',
    stage: '05-backplane',
    nodes: 2,
    about:
      'one of two nodes is frozen until Redis, flooded through the other one, cuts its subscription off; then it wakes',
    strike: overflowOutputBuffer,
  },
  {
    name: 'network cut',
    stage: '05-backplane',
    nodes: 2,
    about: `between one of two nodes and Redis nothing passes for ${cutMs / 1000} s, while all connections stay open`,
    strike: async ({ network }) => {
      network!.cut();
      await sleep(cutMs);
      network!.heal();
    },
  },
];

async function overflowOutputBuffer({ nodes, redis }: Cluster): Promise<void> {
  const [frozen, flooded] = nodes;
  const admin = new Redis(redis!.url);
  const flooder = new WebSocket(flooded!.chatUrl.replace(/\/ws$/, pathOfRoom('flood')));
  try {
    await new Promise((resolve, reject) => flooder.once('open', resolve).once('error', reject));
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 1');
    frozen!.child.signal('SIGSTOP');
    const flood = encodeMessage({ clientId: 'flooder', Message: 'x'.repeat(floodMessageBytes) });
    // The kernel's socket buffers take several megabytes before Redis has to keep anything.
    while (await hasSubscriberOf(admin, nodes.length)) {
      for (let count = 0; count < 10; count++) flooder.send(flood);
      await sleep(20);
    }
  } finally {
    frozen!.child.signal('SIGCONT');
    flooder.terminate();
    admin.disconnect();
  }
}

/** Whether Redis still has as many subscribers as there are nodes. */
async function hasSubscriberOf(admin: Redis, nodes: number): Promise<boolean> {
  const list = String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return list.split('\n').filter((line) => line.includes('name=chat-subscribe-')).length === nodes;
}

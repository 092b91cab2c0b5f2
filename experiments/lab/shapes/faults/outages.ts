/** Failures under clients that resume: those of a chat without a log that still make sense, and more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Direction } from '#host/silent-proxy.ts';
import { needsRedis } from '../../deployment/list-stages.ts';
import {
  cutMs,
  cutsNetwork,
  freezesNode,
  ownRedis,
  redisDownMs,
  type Scenario,
  scenarios,
} from './scenarios.ts';

const nodeFrozenMs = 30_000;

/** The scenario of that name. */
function known(name: string): Scenario {
  return scenarios.find((scenario) => scenario.name === name)!;
}

/** In the order of the report. */
export const outages: readonly Scenario[] = [
  known('node killed'),
  known('node drained'),
  {
    name: 'node frozen',
    about: `one of two nodes is stopped for ${nodeFrozenMs / 1000} s, and then continues`,
    appliesTo: needsRedis,
    nodes: 2,
    inject: freezesNode(nodeFrozenMs),
  },
  known('Redis frozen'),
  {
    ...known('Redis killed'),
    about: `Redis is killed with SIGKILL and started again ${redisDownMs / 1000} s later, empty`,
  },
  {
    name: 'Redis restarted with its data',
    about: `Redis saves all that it holds and ends, and is started again with it ${redisDownMs / 1000} s later`,
    appliesTo: needsRedis,
    nodes: 2,
    inject: async (deployment, signal) => {
      const redis = ownRedis(deployment);
      await saveAndEnd(redis.url);
      await sleep(redisDownMs, undefined, { signal });
      await redis.restart();
    },
  },
  known('Redis Cluster failover'),
  known('network cut'),
  oneWay('to', 'the node sends to Redis does not arrive'),
  oneWay('from', 'Redis sends to the node does not arrive'),
];

/** `what`: the rest of a sentence that begins with "what". */
function oneWay(direction: Direction, what: string): Scenario {
  return {
    name: `network cut ${direction} Redis`,
    about: `for ${cutMs / 1000} s, nothing passes one way between one of two nodes and Redis: what ${what}`,
    appliesTo: needsRedis,
    nodes: 2,
    breakableNetwork: true,
    inject: cutsNetwork(direction),
  };
}

/** Nothing is taken between what was saved and the end, so that nothing acknowledged is lost. */
async function saveAndEnd(url: string): Promise<void> {
  const admin = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  const ended = new Promise((resolve) => admin.once('end', resolve));
  admin.on('error', () => {}); // Its end closes this connection.
  await admin.call('SHUTDOWN', 'SAVE').catch(() => {});
  await ended;
}

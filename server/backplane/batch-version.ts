/**
 * Nodes of one chat must be able to read each other's batches. Each of them renews the version of its batches
 * in Redis; a node that finds another version there does not come into service beside it. So a rolling
 * restart into a build with another version stops at its first node, and the chat goes on with the others.
 */
import type { Redis } from 'ioredis';
import { batchVersion } from './batch.ts';
import type { RedisOptions } from './redis-link.ts';

/** Heartbeats for which the version of a node that ended, or was cut off, still stands. Chosen. */
const heartbeatsKept = 6;

type Client = Pick<Redis, 'get' | 'set'>;

/**
 * Call before a connection is in service and at every heartbeat. Rejects where nodes with another version
 * run. Where access lists forbid the question, or Redis is full, it is not asked.
 */
export async function agreeOnVersion(
  client: Client,
  { channel, heartbeatIntervalMs }: Pick<RedisOptions, 'channel' | 'heartbeatIntervalMs'>,
): Promise<void> {
  // The channel names the version, and this key must not. A tag behind it (on Redis Cluster) keeps the slot.
  const key = channel.replace(/:\d+(?=(:\{[^}]*\})?$)/, ':batch-version');
  try {
    const found = await client.get(key);
    if (found !== null && found !== String(batchVersion)) throw new Error(otherVersion(found));
    await client.set(key, batchVersion, 'PX', heartbeatsKept * heartbeatIntervalMs);
  } catch (error) {
    if ((error as Error).name !== 'ReplyError') throw error;
  }
}

const otherVersion = (found: string) =>
  `nodes with batches of version ${found.slice(0, 20)} run on it, which this version, ${batchVersion}, cannot read; stop them first`;

/** Where the keys and channels of a chat are: on one Redis, or in groups on Redis Cluster. */
import type { Redis } from 'ioredis';
import { redactUrl, splitUrls } from '#host/secrets.ts';
import { RedisCluster } from './cluster.ts';
import { slotOf, tagsOf } from './hash-slot.ts';
import type { RedisPlace, Standing } from './place.ts';

/**
 * Groups into which the rooms are cut on a cluster: all keys, or the channel, of a group are in one slot.
 * Chosen, not measured: with more than these primaries, some have nothing to do; each group costs every node
 * two connections. All nodes of a chat must use the same number.
 */
const groupsOnCluster = 16;

/** A share of the rooms, with the name of its channel, or the start of its keys. */
export type RedisGroup = { readonly channel: string; readonly place: RedisPlace };

/** The groups of a chat: one on one Redis; at most `groupsMax`. `url`: one, or several of one cluster. */
export function groupsOf(url: string, channel: string, groupsMax = groupsOnCluster): readonly RedisGroup[] {
  const cluster = clusterOf(url);
  if (!cluster) return [{ channel, place: oneRedis(url) }];
  return tagsOf(Math.min(groupsOnCluster, groupsMax)).map((tag) => {
    const name = `${channel}:{${tag}}`;
    return { channel: name, place: cluster.placeOf(slotOf(name)) };
  });
}

/** The place of one key. */
export function placeOf(url: string, key: string): RedisPlace {
  return clusterOf(url)?.placeOf(slotOf(key)) ?? oneRedis(url);
}

function clusterOf(url: string): RedisCluster | undefined {
  const urls = splitUrls(url);
  return urls.length > 1 ? new RedisCluster(urls) : undefined;
}

function oneRedis(url: string): RedisPlace {
  return { shown: redactUrl(url), isSharded: false, find: () => url, check: checkRole };
}

/**
 * Refuses a node of a cluster that was named alone: it has a part of the keys, and no command may touch keys
 * of several slots. Rejects where the server does not answer.
 */
export async function refuseClusterNode(client: Redis): Promise<void> {
  const info = await client.info('cluster').catch((error: Error) => {
    if (error.name !== 'ReplyError') throw error;
    return ''; // Not allowed to ask.
  });
  if (/^cluster_enabled:1/m.test(info))
    throw new Error(
      'it is a node of a Redis Cluster: name several of its nodes, with commas between their URLs',
    );
}

/** No fault also where access lists or services do not allow the question. */
async function checkRole(client: Redis): Promise<Standing> {
  try {
    const [role] = (await client.role()) as [string];
    return role === 'master' ? { server: '' } : { server: '', fault: demotion };
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return { server: '' };
    throw error;
  }
}

const demotion = 'this Redis is a replica, whose publishes only its own clients would receive';

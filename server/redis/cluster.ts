/**
 * Redis Cluster, as far as nodes of a chat need it: which server is the primary of a slot now. A view of the
 * cluster is asked for whenever a connection is to be made, of a few nodes at once, and only a view of who
 * sees most primaries counts: a primary that is cut off from them has a successor, and does not know it.
 */
import type { Redis } from 'ioredis';
import { redactUrl } from '#host/secrets.ts';
import { type ClusterNode, parseClusterNodes, primaryOf, seesMajority } from './cluster-nodes.ts';
import { abandon, createClient } from './connection.ts';
import type { RedisPlace, Standing } from './place.ts';

// Chosen, not measured.
const answerMsMax = 1000;
/** Connections that are made in the same moment share a view. */
const viewMsMax = 100;
const askedMax = 3;

type View = { readonly nodes: readonly ClusterNode[]; readonly askedUrl: string };

export class RedisCluster {
  readonly #seeds: readonly string[];
  readonly #shown: string;
  #view: View | undefined;
  #viewedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<View> | undefined;

  /** `urls`: of some of its nodes. The others are reached with the user and the password of the first. */
  constructor(urls: readonly string[]) {
    this.#seeds = urls;
    this.#shown = urls.map(redactUrl).join(', ');
  }

  /** The place of the keys and channels of one slot. */
  placeOf(slot: number): RedisPlace {
    return {
      shown: this.#shown,
      isSharded: true,
      find: () => this.#find(slot),
      check: (client) => check(client, slot),
    };
  }

  async #find(slot: number): Promise<string> {
    const view = await this.#ask();
    const primary = primaryOf(view.nodes, slot);
    if (!primary) throw new Error(`no primary has the slot ${slot}`);
    return this.#urlOf(primary, view.askedUrl);
  }

  #ask(): Promise<View> {
    if (this.#view && performance.now() - this.#viewedAtMs < viewMsMax) return Promise.resolve(this.#view);
    this.#asking ??= this.#askSome().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Resolves with the first view that counts. */
  async #askSome(): Promise<View> {
    const clients: Redis[] = [];
    const views = shuffled(this.#knownUrls())
      .slice(0, askedMax)
      .map((url) => {
        const client = createClient(url, 'chat-view', answerMsMax);
        clients.push(client);
        return viewOf(client, url);
      });
    try {
      this.#view = await Promise.any(views);
      this.#viewedAtMs = performance.now();
      return this.#view;
    } catch (error) {
      const reasons = new Set((error as AggregateError).errors.map(({ message }: Error) => message));
      throw new Error([...reasons].join('; '));
    } finally {
      for (const client of clients) abandon(client);
    }
  }

  /** Seeds, and the nodes of the last view: the seeds alone may all have been replaced. */
  #knownUrls(): string[] {
    const { nodes = [], askedUrl = '' } = this.#view ?? {};
    const usable = nodes.filter(({ host, isSelf }) => host !== '' || isSelf);
    return [...new Set([...this.#seeds, ...usable.map((node) => this.#urlOf(node, askedUrl))])];
  }

  #urlOf({ host, hostname, port }: ClusterNode, askedUrl: string): string {
    const url = new URL(this.#seeds[0]!);
    const name = (url.protocol === 'rediss:' && hostname) || host || new URL(askedUrl).hostname;
    url.hostname = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
    url.port = String(port);
    const { host: address } = url;
    // A seed may have a password of its own.
    return this.#seeds.find((seed) => new URL(seed).host === address) ?? url.href;
  }
}

/** Rejects where this node does not see most primaries. */
async function viewOf(client: Redis, askedUrl: string): Promise<View> {
  let failure = '';
  client.on('error', ({ message }: Error) => {
    failure = message;
  });
  try {
    await client.connect();
    const nodes = parseClusterNodes(await nodesOf(client));
    if (!seesMajority(nodes)) throw new Error(minority);
    return { nodes, askedUrl };
  } catch (error) {
    throw new Error(`${redactUrl(askedUrl)}: ${failure || (error as Error).message}`);
  }
}

/** A server must be the primary of its slot and see most primaries: else it may have a successor. */
async function check(client: Redis, slot: number): Promise<Standing> {
  const nodes = parseClusterNodes(await nodesOf(client));
  const self = nodes.find(({ isSelf }) => isSelf);
  const server = self?.id ?? '';
  if (!seesMajority(nodes)) return { server, fault: minority };
  return primaryOf(nodes, slot)?.isSelf ? { server } : { server, fault: moved };
}

const nodesOf = async (client: Redis) => String(await client.call('CLUSTER', ['NODES']));
const minority = 'this node of the cluster does not see most of the primaries';
const moved = 'this node of the cluster is not the primary of the slot';

/**
 * True for an answer that says: not now. A failover or the move of a slot is under way, and the same server
 * may answer the same question soon, or then say where to go.
 */
export function isNotNow({ message }: Error): boolean {
  return /^(CLUSTERDOWN|TRYAGAIN|ASK) /.test(message);
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => [Math.random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

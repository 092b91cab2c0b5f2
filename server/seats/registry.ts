/**
 * The list of the living nodes in Redis: one hash, a field per node. A field begins with the time at which it
 * expires, by the clock of Redis, so that the clocks of the nodes need not agree. A node that dies without a
 * word stops renewing, and the next node that renews its own field removes the dead one.
 */
import { Redis } from 'ioredis';
import { placeOf } from '../redis/groups.ts';
import type { RedisPlace } from '../redis/place.ts';

/** The texts of the living nodes; the caller encodes and decodes them. */
export interface Registry {
  /** Writes the text of this node, which lives for `ttlMs` from now; resolves with the texts of all. */
  renew(node: string, text: string, ttlMs: number): Promise<string[]>;
  /** Removes the text of this node. */
  remove(node: string): Promise<void>;
  close(): void;
}

/**
 * KEYS[1]: the hash. ARGV: the field, its text, its time to live in ms. One script, so that all that a node
 * reads is of one moment. It touches one key only, as Redis Cluster asks of a script.
 */
const renewScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[3]) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local expires, text = string.match(all[i + 1], '^(%d+) (.*)$')
  if expires and tonumber(expires) > now then living[#living + 1] = text
  else redis.call('HDEL', KEYS[1], all[i]) end
end
return living
`;

/** Chosen, not measured: a connection on which nothing came for so long is made anew. */
const silenceMsMax = 5_000;
/** Chosen, not measured: the wait before a lost connection is made anew. */
const retryMs = 500;

export class RedisRegistry implements Registry {
  readonly #place: RedisPlace;
  readonly #key: string;
  readonly #answerMsMax: number;
  #client: Redis | undefined;
  #closed = false;

  /**
   * `url`: of one Redis, or of several nodes of one cluster. `answerMsMax`: a command that Redis has not
   * answered by then has failed.
   */
  constructor({ url, key, answerMsMax }: { url: string; key: string; answerMsMax: number }) {
    this.#place = placeOf(url, key);
    this.#key = key;
    this.#answerMsMax = answerMsMax;
  }

  async renew(node: string, text: string, ttlMs: number): Promise<string[]> {
    const ask = (client: Redis) => client.eval(renewScript, 1, this.#key, node, text, ttlMs);
    return (await this.#with(ask)) as string[];
  }

  async remove(node: string): Promise<void> {
    await this.#with((client) => client.hdel(this.#key, node));
  }

  close(): void {
    this.#closed = true;
    this.#client?.disconnect();
  }

  async #with<T>(ask: (client: Redis) => Promise<T>): Promise<T> {
    const url = await this.#place.find();
    this.#client ??= this.#connect(url);
    const client = this.#client;
    try {
      return await ask(client);
    } catch (error) {
      // In a cluster another server may have the key now: the next command asks which.
      if (this.#place.isSharded) {
        client.disconnect();
        if (this.#client === client) this.#client = undefined;
      }
      throw error;
    }
  }

  #connect(url: string): Redis {
    if (this.#closed) throw new Error('the list of nodes is closed');
    // A renewal that failed is replaced by the next one, so nothing is repeated.
    const client = new Redis(url, {
      lazyConnect: true,
      connectionName: 'chat-members',
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: this.#answerMsMax,
      socketTimeout: silenceMsMax,
      retryStrategy: () => retryMs * (0.5 + Math.random()),
    });
    client.on('error', () => {}); // The renewals that fail tell it.
    return client;
  }
}

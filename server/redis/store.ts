/**
 * The client of stores: commands and scripts at one Redis, or at the primaries of a Redis Cluster by the
 * slots of their keys. A command that rejects has perhaps been carried out: writes must be idempotent.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { redactUrl, splitUrls } from '#host/secrets.ts';

/** A Lua script; `defineScript` makes one. */
export type StoreScript = { readonly lua: string; readonly name: string };

/** A script, to be made once where its file is loaded. Redis knows it by its SHA-1 from its first run on. */
export function defineScript(lua: string): StoreScript {
  return { lua, name: `run_${createHash('sha1').update(lua).digest('hex')}` };
}

export type StoreArgument = string | number | Buffer;

export interface Store {
  /** True while commands can be sent. */
  readonly ready: boolean;
  /** Resolves when commands can be sent; rejects with a `StoreError` after the deadline. */
  start(): Promise<void>;
  /** Runs a script, whose keys are all in one slot. Resolves with its answer; rejects with `StoreError`. */
  run(script: StoreScript, keys: readonly string[], args: readonly StoreArgument[]): Promise<unknown>;
  /** Sends one command, such as `call('HGETALL', key)`; all its keys are in one slot. Rejects as `run`. */
  call(command: string, ...args: StoreArgument[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Why a command was not carried out, or may not have been; a plain sentence without secrets. */
export class StoreError extends Error {}

export type RedisStoreOptions = {
  /** Of one Redis, or of several nodes of one cluster with commas between them. */
  readonly url: string;
  /** Name of the connections in Redis's CLIENT LIST. */
  readonly name?: string;
  /** Every command is answered or rejected by then. */
  readonly timeoutMs?: number;
  readonly startDeadlineMs?: number;
};

// Chosen, not measured.
const defaults = { name: 'chat-store', timeoutMs: 2_000, startDeadlineMs: 10_000 };
/** Commands without an answer, and bytes that the kernel has not taken, beyond which others are refused. */
const pendingMax = 20_000;
const bufferedBytesMax = 32 * 1024 ** 2;
/** Chosen: soon after a short break, and gentle to a Redis that many nodes wait for. Random by a half. */
const retryMsMax = 1_000;
const retryMs = (attempts: number) => Math.min(retryMsMax, 25 * 2 ** attempts) * (0.5 + Math.random() / 2);

type Commands = Record<string, (...args: unknown[]) => Promise<unknown>>;

export class RedisStore implements Store {
  readonly #client: Redis | Cluster;
  readonly #shown: string;
  readonly #startDeadlineMs: number;
  readonly #defined = new Set<string>();
  #pending = 0;
  #corked: Redis['stream'][] = [];
  #lastFailure = 'there was no answer';

  constructor(options: RedisStoreOptions) {
    const { url, name, timeoutMs, startDeadlineMs } = { ...defaults, ...options };
    this.#startDeadlineMs = startDeadlineMs;
    const urls = splitUrls(url);
    this.#shown = urls.map(redactUrl).join(', ');
    this.#client = createClient(urls, name, timeoutMs);
    this.#client.on('error', ({ message }: Error) => {
      this.#lastFailure = message;
    });
  }

  get ready(): boolean {
    return this.#client.status === 'ready';
  }

  async start(): Promise<void> {
    this.#client.connect().catch(() => {}); // It is repeated, and the event `error` says why.
    const deadlineAtMs = performance.now() + this.#startDeadlineMs;
    while (!this.ready) {
      if (performance.now() > deadlineAtMs) {
        await this.close();
        throw new StoreError(`${this.#shown} cannot be used as a store: ${this.#lastFailure}`);
      }
      await sleep(5);
    }
  }

  run(script: StoreScript, keys: readonly string[], args: readonly StoreArgument[]): Promise<unknown> {
    const { lua, name } = script;
    if (!this.#defined.has(name)) {
      // On each connection ioredis sends EVAL the first time and then EVALSHA, and EVAL again on NOSCRIPT.
      this.#client.defineCommand(name, { lua });
      this.#defined.add(name);
    }
    return this.#send((client) => client[name]!(keys.length, ...keys, ...args));
  }

  call(command: string, ...args: StoreArgument[]): Promise<unknown> {
    return this.#send((client) => client.call!(command, ...args));
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }

  async #send(ask: (client: Commands) => Promise<unknown>): Promise<unknown> {
    if (!this.ready) throw new StoreError(`${this.#shown} is not connected: ${this.#lastFailure}`);
    if (this.#pending >= pendingMax) throw new StoreError(`${this.#shown} is behind`);
    if (this.#corked.length === 0) this.#cork();
    this.#pending++;
    try {
      return await ask(this.#client as unknown as Commands);
    } catch (error) {
      throw new StoreError(`${this.#shown} has not carried it out: ${(error as Error).message}`);
    } finally {
      this.#pending--;
    }
  }

  /** The commands of one turn of the event loop are one write to each server. */
  #cork(): void {
    const servers = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    const streams = servers.flatMap(({ stream }) => stream ?? []);
    if (streams.some(({ writableLength }) => writableLength > bufferedBytesMax))
      throw new StoreError(`${this.#shown} is behind`);
    for (const stream of streams) stream.cork();
    this.#corked = streams;
    setImmediate(() => {
      this.#corked = [];
      for (const stream of streams) stream.uncork();
    });
  }
}

function createClient(urls: readonly string[], name: string, timeoutMs: number): Redis | Cluster {
  const options = {
    lazyConnect: true,
    connectionName: name,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    // A connection on which nothing comes although something was asked is made anew.
    socketTimeout: timeoutMs,
    // A command that was on its way is not repeated: who asked is told, and decides.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  } satisfies RedisOptions;
  if (urls.length === 1) {
    // A server that became a replica refuses writes: its name may lead to another one now.
    const reconnectOnError = ({ message }: Error) => message.startsWith('READONLY');
    return new Redis(urls[0]!, { ...options, retryStrategy: retryMs, reconnectOnError });
  }
  const { enableOfflineQueue, lazyConnect, ...ofEachNode } = options;
  const { protocol, username, password } = new URL(urls[0]!);
  const isSecure = protocol === 'rediss:';
  return new Cluster([...urls], {
    enableOfflineQueue,
    lazyConnect,
    clusterRetryStrategy: retryMs,
    slotsRefreshTimeout: timeoutMs,
    // Certificates are for names.
    ...(isSecure && { dnsLookup: (host, found) => found(null, host) }),
    redisOptions: {
      ...ofEachNode,
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(isSecure && { tls: {} }),
    },
  });
}

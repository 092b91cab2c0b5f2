/**
 * The reading side of the stream backplane: one blocking read over all partitions that this node wants, each
 * from a concrete id. (`$` would mean the end at the time of each call, and lose what comes between two.)
 * It asks for the next entries only after it has handled these, so nothing piles up here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { isNotNow } from '../redis/cluster.ts';
import { RedisLink } from './redis-link.ts';
import type { RawEntry } from './stream-entry.ts';
import type { StreamOptions } from './stream-options.ts';
import { Pace } from './timing.ts';

/** A log that is read: the key of its stream, and the id from which to go on. */
type Readable = { readonly stream: string; readonly cursor: string };

/** Part of a heartbeat after which a cluster that could not answer is asked again; chosen. */
const notNowShare = 0.4;

type ReaderOptions<L extends Readable> = StreamOptions & {
  /** Part of the name of the connection. */
  id: string;
  /** The logs to read now. */
  readable(): readonly L[];
  /** Entries of a log, oldest first. It may be one that is not read any more. */
  receive(log: L, entries: readonly RawEntry[]): void;
  /** Another connection, to end a blocking read early. */
  unblocker(): Redis | undefined;
};

export class StreamReader<L extends Readable> {
  readonly #options: ReaderOptions<L>;
  readonly link: RedisLink;
  #clientId = 0;
  #reading = false;
  /** Counts the reads, to end the one that is meant. */
  #reads = 0;
  readonly #pace: Pace;

  constructor(options: ReaderOptions<L>) {
    this.#options = options;
    this.#pace = new Pace(options.batchIntervalMs);
    this.link = new RedisLink({
      ...options,
      name: `chat-read-${options.id}`,
      prepare: async (client) => {
        this.#clientId = await client.client('ID');
        if (!options.place.isSharded) return;
        const { fault } = await options.place.check(client);
        if (fault !== undefined) throw new Error(fault);
      },
      up: () => {
        this.#reading = false;
        this.wake();
      },
      lost: () => options.meter.reconnects.inc(),
    });
  }

  /** Call when there is another log to read. */
  wake(): void {
    if (!this.#reading) void this.#read();
    else this.#unblock(this.#reads);
  }

  /** Call at every heartbeat. */
  tick(): void {
    this.link.tick();
    if (!this.#reading) this.link.ping();
  }

  async #read(): Promise<void> {
    for (;;) {
      const { client } = this.link;
      const logs = this.#options.readable();
      if (!client || logs.length === 0) break;
      this.#reading = true;
      this.#reads++;
      this.#pace.begin(performance.now());
      const byStream = new Map(logs.map((log) => [log.stream, log]));
      const reply = await this.#ask(client, logs).catch((error: Error) => {
        if (isNotNow(error)) return sleep(this.#options.heartbeatIntervalMs * notNowShare);
        this.link.fail(error.message, client);
      });
      if (!this.link.isPresent(client)) return; // `up` begins anew.
      this.link.signOfLife();
      for (const [stream, entries] of pairsOf(reply))
        this.#options.receive(byStream.get(stream.toString('latin1'))!, entries);
      // Redis answers a blocked read with the first entry of a round: the others are there a moment later.
      const waitMs = this.#pace.waitMs(performance.now());
      if (waitMs > 0) await sleep(waitMs);
      if (!this.link.isPresent(client)) return;
    }
    this.#reading = false;
  }

  #ask(client: Redis, logs: readonly L[]): Promise<unknown> {
    const { entriesPerRead, heartbeatIntervalMs } = this.#options;
    const streams = logs.map(({ stream }) => stream);
    const cursors = logs.map(({ cursor }) => cursor);
    // Shorter than a heartbeat: the answer is the sign of life.
    const blockMs = Math.ceil(heartbeatIntervalMs * 0.8);
    const args = ['COUNT', entriesPerRead, 'BLOCK', blockMs, 'STREAMS', ...streams, ...cursors];
    return client.callBuffer('XREAD', args);
  }

  /** Ends this read, if it still blocks. It may not have begun to: then it is asked again. */
  #unblock(read: number): void {
    const client = this.#options.unblocker();
    if (!client || !this.#reading || this.#reads !== read) return;
    client.client('UNBLOCK', this.#clientId).then(
      (ended) => ended === 0 && setTimeout(() => this.#unblock(read), 1),
      () => undefined, // Not allowed, or the connection is closing: the read ends by itself soon.
    );
  }
}

type Pair = readonly [stream: Buffer, entries: readonly RawEntry[]];

/** What XREAD returns: pairs in RESP2; in RESP3 a map, which ioredis shows as keys and values in turn. */
function pairsOf(reply: unknown): readonly Pair[] {
  if (!Array.isArray(reply)) return [];
  if (!Buffer.isBuffer(reply[0])) return reply as Pair[];
  return reply.flatMap((stream, index) => (index % 2 === 0 ? [[stream, reply[index + 1]] as Pair] : []));
}

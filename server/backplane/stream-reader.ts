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
import { type Readable, StreamRead } from './stream-read.ts';
import { Pace } from './timing.ts';

/** Part of a heartbeat after which a cluster that could not answer is asked again; chosen. */
const notNowShare = 0.4;

type ReaderOptions<L extends Readable> = StreamOptions & {
  /** Part of the name of the connection. */
  id: string;
  /** The logs to read. Asked for again only after `wake` or `changed`. */
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
  #read: StreamRead<L> | undefined;

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
    this.changed();
    if (!this.#reading) void this.#readOn();
    else this.#unblock(this.#reads);
  }

  /** Call when the logs to read have changed. */
  changed(): void {
    this.#read = undefined;
  }

  /** Call at every heartbeat. */
  tick(): void {
    this.link.tick();
    if (!this.#reading) this.link.ping();
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const { client } = this.link;
      this.#read ??= this.#prepare();
      const read = this.#read;
      if (!client || read.logs.length === 0) break;
      this.#reading = true;
      this.#reads++;
      this.#pace.begin(performance.now());
      const asked = client.sendCommand(read.command()) as Promise<unknown>;
      const reply = await asked.catch((error: Error) => {
        if (isNotNow(error)) return sleep(this.#options.heartbeatIntervalMs * notNowShare);
        this.link.fail(error.message, client);
      });
      if (!this.link.isPresent(client)) return; // `up` begins anew.
      this.link.signOfLife();
      for (const [stream, entries] of pairsOf(reply))
        this.#options.receive(read.logOf(stream.toString('latin1'))!, entries);
      // Redis answers a blocked read with the first entry of a round: the others are there a moment later.
      const waitMs = this.#pace.waitMs(performance.now());
      if (waitMs > 0) await sleep(waitMs);
      if (!this.link.isPresent(client)) return;
    }
    this.#reading = false;
  }

  #prepare(): StreamRead<L> {
    const { entriesPerRead, heartbeatIntervalMs, readable } = this.#options;
    // Shorter than a heartbeat: the answer is the sign of life.
    const blockMs = Math.ceil(heartbeatIntervalMs * 0.8);
    return new StreamRead(readable(), { count: entriesPerRead, blockMs });
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

/**
 * The publishing side of the Redis backplane: one batch is in flight, and the next one gathers behind it. So
 * batches grow with the load, and a broken connection has possibly lost one batch: it is sent again under its
 * old number, which tells receivers whether they had it.
 */
import type { Redis } from 'ioredis';
import { type BatchHeader, BatchQueue, batchHeaderBytes, epochMs } from './batch.ts';
import { RedisLink, type RedisOptions } from './redis-link.ts';

type PublisherOptions = RedisOptions & {
  /** Random id of this process: 16 hexadecimal digits. */
  publisher: string;
  /** Messages that were accepted have been dropped. */
  gap(reason: string): void;
  /** Redis became a replica at an unknown time: messages may have been missed in both directions. */
  demoted(reason: string): void;
};

export class RedisPublisher {
  readonly #options: PublisherOptions;
  readonly link: RedisLink;
  readonly #queue = new BatchQueue();
  #inFlight: Buffer | undefined;
  #sequence = 0;
  /** Sequence of the newest batch that Redis has acknowledged. */
  acknowledged = 0;
  /** Ticks since the batch that is in flight was first sent. */
  #inFlightTicks = 0;
  #flushing = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.link = new RedisLink({
      ...options,
      name: `chat-publish-${options.publisher}`,
      prepare: async (client) => {
        if (!(await isPrimary(client))) throw new Error(demotion);
      },
      up: () => this.#up(),
      lost: () => options.meter.reconnects.inc(),
    });
  }

  /** True when Redis has acknowledged every accepted message. */
  get idle(): boolean {
    return this.#inFlight === undefined && this.#queue.messages === 0;
  }

  publish(room: string, payload: Buffer): boolean {
    if (!this.link.client || this.#queuedBytes() + payload.length > this.#options.queueBytesMax) return false;
    this.#queue.push(room, payload);
    if (!this.#flushing) {
      this.#flushing = true;
      // Once all sockets of this turn have been read, so that their messages share one batch.
      setImmediate(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
    return true;
  }

  /**
   * Sends a batch without messages, unless one is in flight. `messages` shows all nodes that the link works;
   * `goodbye` is the last batch of this publisher, which the others may forget then.
   */
  sendEmpty(kind: BatchHeader['kind']): void {
    if (this.link.client && this.idle) this.#sendNext(kind);
  }

  /** Call at every heartbeat. */
  tick(): void {
    this.link.tick();
    this.#inFlightTicks++;
    this.sendEmpty('messages');
    const client = this.link.client;
    if (!client) return;
    // There is no error to wait for: the publishes of a replica just stop reaching the others.
    isPrimary(client).then(
      (primary) => {
        if (primary || !this.link.isPresent(client)) return;
        this.link.fail(demotion);
        this.#options.demoted(demotion);
      },
      (error: Error) => this.link.fail(error.message, client),
    );
  }

  #up(): void {
    if (this.#inFlightTicks > this.#options.silentTicksMax) this.#dropLate();
    if (this.#inFlight) this.#send(this.#inFlight);
    else this.#sendNext('messages');
  }

  /**
   * Drops the messages that could not be handed over in time; their senders are told. The number of the batch
   * in flight goes out with an empty batch, so that no other node sees a gap.
   */
  #dropLate(): void {
    const waiting = this.#inFlight !== undefined && this.#inFlight.length > batchHeaderBytes;
    if (!waiting && this.#queue.messages === 0) return;
    this.#inFlight = this.#inFlight?.subarray(0, batchHeaderBytes);
    this.#queue.clear();
    this.#options.gap('messages that were accepted could not be handed to Redis in time');
  }

  #flush(): void {
    if (this.#queue.messages > 0 && !this.#inFlight && this.link.client) this.#sendNext('messages');
  }

  #sendNext(kind: BatchHeader['kind']): void {
    const waiting = this.#queue.messages;
    const { publisher, batchBytesMax, meter } = this.#options;
    const header = { kind, publisher, sequence: ++this.#sequence, publishedAtMs: epochMs() };
    const batch = this.#queue.take(header, batchBytesMax);
    const messages = waiting - this.#queue.messages;
    if (messages > 0) meter.batchMessages.observe(messages);
    this.#inFlightTicks = 0;
    this.#send(batch);
  }

  #send(batch: Buffer): void {
    this.#inFlight = batch;
    this.#options.meter.queueBytes.set(this.#queuedBytes());
    const client = this.link.client!;
    client.publish(this.#options.channel, batch).then(
      () => this.#acknowledge(client),
      (error: Error) => this.link.fail(error.message, client),
    );
  }

  #acknowledge(client: Redis): void {
    if (!this.link.isPresent(client)) return;
    this.link.signOfLife();
    this.#inFlight = undefined;
    this.acknowledged = this.#sequence;
    this.#flush();
    this.#options.meter.queueBytes.set(this.#queuedBytes());
  }

  #queuedBytes(): number {
    return this.#queue.bytes + (this.#inFlight?.length ?? 0);
  }
}

const demotion = 'this Redis is a replica, whose publishes only its own clients would receive';

/** False for a replica. True also where access lists or services do not allow the question. */
async function isPrimary(client: Redis): Promise<boolean> {
  try {
    const [role] = (await client.role()) as [string];
    return role === 'master';
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return true;
    throw error;
  }
}

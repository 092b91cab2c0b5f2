/**
 * The publishing side of the Redis backplane: one batch is in flight, and the next one gathers behind it. So
 * batches grow with the load, and a broken connection has possibly lost one batch: it is sent again under its
 * old number, which tells receivers whether they had it.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { congestedBytes } from './backplane.ts';
import { type BatchHeader, BatchQueue, batchHeaderBytes, epochMs, visitBatch } from './batch.ts';
import { agreeOnVersion } from './batch-version.ts';
import { RedisLink, type RedisOptions } from './redis-link.ts';
import { sign } from './signature.ts';
import { oncePerTurn } from './timing.ts';

type PublisherOptions = RedisOptions & {
  /** Messages that were accepted have been dropped. */
  gap(reason: string): void;
  /** The server must not be used any more, since when is unknown: messages may have been missed both ways. */
  demoted(reason: string): void;
};

export class RedisPublisher {
  readonly #options: PublisherOptions;
  readonly link: RedisLink;
  #queue = new BatchQueue();
  /** Random id of this process: 16 hexadecimal digits. */
  #id = newId();
  #inFlight: Buffer | undefined;
  /** Batches that were sent under this id and have not come back, by their sequence. */
  readonly #unechoed = new Map<number, { publishedAtMs: number; batch: Buffer }>();
  #sequence = 0;
  /** Sequence of the newest batch that Redis has acknowledged. */
  acknowledged = 0;
  /** Ticks since the batch that is in flight was first sent. */
  #inFlightTicks = 0;
  readonly #flushSoon = oncePerTurn(() => this.#flush());

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.link = new RedisLink({
      ...options,
      name: `chat-publish-${this.#id}`,
      prepare: async (client) => {
        const { fault } = await options.place.check(client);
        if (fault !== undefined) throw new Error(fault);
        await agreeOnVersion(client, options);
      },
      up: () => this.#up(),
      lost: () => options.meter.reconnects.inc(),
    });
  }

  get id(): string {
    return this.#id;
  }

  /** True for the header of a batch that this process sent and that has not come back until now. */
  confirmEcho({ sequence, publishedAtMs }: BatchHeader): boolean {
    if (this.#unechoed.get(sequence)?.publishedAtMs !== publishedAtMs) return false;
    this.#forgetEchoes(sequence);
    return true;
  }

  /** For a new subscription: only the batch that is sent again can still come back. */
  resubscribed(): void {
    this.#forgetEchoes(this.#inFlight ? this.#sequence - 1 : this.#sequence);
  }

  /**
   * Somebody else has published under the id of this process, with this sequence. Redis shows all nodes the
   * same order, so all of them take the batches up to it that have not come back for repeated ones. Their
   * messages go out again, under a new id.
   */
  renew(sequence: number): void {
    const queue = new BatchQueue();
    const again = (batch: Buffer) => visitBatch(batch, (room, payload) => queue.push(room, payload));
    for (const [sent, { batch }] of this.#unechoed) if (sent <= sequence) again(batch);
    again(this.#queue.take(this.#header('messages'), Number.POSITIVE_INFINITY));
    this.#queue = queue;
    this.#unechoed.clear();
    this.#id = newId();
    this.#flush();
  }

  /** True when Redis has acknowledged every accepted message. */
  get idle(): boolean {
    return this.#inFlight === undefined && this.#queue.messages === 0;
  }

  get congested(): boolean {
    return this.#queuedBytes() > congestedBytes(this.#options.queueBytesMax);
  }

  publish(room: string, payload: Buffer): boolean {
    if (!this.link.client || this.#queuedBytes() + payload.length > this.#options.queueBytesMax) return false;
    this.#queue.push(room, payload);
    this.#flushSoon();
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
    agreeOnVersion(client, this.#options).catch((error: Error) => this.link.fail(error.message, client));
    // There may be no error to wait for: the publishes of a replica just stop reaching the others.
    this.#options.place.check(client).then(
      ({ fault }) => {
        if (fault === undefined || !this.link.isPresent(client)) return;
        this.link.fail(fault);
        this.#options.demoted(fault);
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
    const inFlight = this.#unechoed.get(this.#sequence);
    if (inFlight && this.#inFlight) inFlight.batch = this.#inFlight;
    this.#queue.clear();
    this.#options.gap('messages that were accepted could not be handed to Redis in time');
  }

  #flush(): void {
    if (this.#queue.messages > 0 && !this.#inFlight && this.link.client) this.#sendNext('messages');
  }

  #sendNext(kind: BatchHeader['kind']): void {
    const waiting = this.#queue.messages;
    const { batchBytesMax, meter } = this.#options;
    this.#sequence++;
    const header = this.#header(kind);
    const batch = this.#queue.take(header, batchBytesMax);
    this.#unechoed.set(header.sequence, { publishedAtMs: header.publishedAtMs, batch });
    const messages = waiting - this.#queue.messages;
    if (messages > 0) meter.batchMessages.observe(messages);
    this.#inFlightTicks = 0;
    this.#send(batch);
  }

  #send(batch: Buffer): void {
    this.#inFlight = batch;
    this.#options.meter.queueBytes.set(this.#queuedBytes());
    const client = this.link.client!;
    const { channel, secret, place } = this.#options;
    const signed = sign(batch, channel, secret);
    (place.isSharded ? client.spublish(channel, signed) : client.publish(channel, signed)).then(
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

  #header(kind: BatchHeader['kind']): BatchHeader {
    return { kind, publisher: this.#id, sequence: this.#sequence, publishedAtMs: epochMs() };
  }

  #forgetEchoes(upTo: number): void {
    for (const sequence of this.#unechoed.keys()) {
      if (sequence > upTo) return;
      this.#unechoed.delete(sequence);
    }
  }

  #queuedBytes(): number {
    return this.#queue.bytes + (this.#inFlight?.length ?? 0);
  }
}

const newId = () => randomBytes(8).toString('hex');

/**
 * The publishing side of the Redis backplane: one envelope on its way, the next one gathering behind it. So batches grow
 * with load by themselves, and after a broken connection exactly one envelope is in doubt, which is sent again under its
 * old number: receivers know by the number whether they had it.
 */
import type { Redis } from 'ioredis';
import { type EnvelopeHeader, EnvelopeQueue, envelopeHeaderBytes } from './batch.ts';
import type { BackplaneMeter } from './meter.ts';
import { RedisLink } from './redis-link.ts';

export type RedisPublisherOptions = {
  url: string;
  channel: string;
  /** 16 hexadecimal digits, drawn for this process. */
  publisher: string;
  meter: BackplaneMeter;
  envelopeBytesMax: number;
  queueBytesMax: number;
  silentTicksMax: number;
  /** Accepted messages were given up. */
  gaveUp(reason: string): void;
  /** Redis became a replica under us: since we do not know when, others may have missed us, and we them. */
  demoted(reason: string): void;
};

export class RedisPublisher {
  readonly #options: RedisPublisherOptions;
  readonly #link: RedisLink;
  readonly #queue = new EnvelopeQueue();
  #inFlight: Buffer | undefined;
  #sequence = 0;
  #acknowledged = 0;
  /** Ticks since the envelope that is in flight was first sent. */
  #inFlightTicks = 0;
  #flushing = false;

  constructor(options: RedisPublisherOptions) {
    this.#options = options;
    this.#link = new RedisLink({
      url: options.url,
      name: `chat-publish-${options.publisher}`,
      silentTicksMax: options.silentTicksMax,
      prepare: async (client) => {
        if (!(await isPrimary(client))) throw new Error(demotion);
      },
      up: () => this.#up(),
      lost: () => options.meter.reconnecting(),
    });
  }

  get connected(): boolean {
    return this.#link.client !== undefined;
  }

  get lastFailure(): string {
    return this.#link.lastFailure;
  }

  /** Sequence of the newest envelope that Redis said it carried out. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** True when nothing accepted is still on this side. */
  get idle(): boolean {
    return this.#inFlight === undefined && this.#queue.messages === 0;
  }

  open(): void {
    this.#link.open();
  }

  close(): void {
    this.#link.close();
  }

  fail(reason: string): void {
    this.#link.fail(reason);
  }

  publish(room: string, payload: Buffer): boolean {
    if (!this.connected || this.#queuedBytes() + payload.length > this.#options.queueBytesMax) return false;
    this.#queue.push(room, payload);
    if (!this.#flushing) {
      this.#flushing = true;
      // After all sockets of this turn have been read, so that what they brought shares one envelope.
      setImmediate(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
    return true;
  }

  /** An empty envelope, if nothing else is on its way: others and we ourselves hear that all is well. */
  heartbeat(): void {
    if (this.connected && this.idle) this.#sendNext('messages');
  }

  /** The last envelope of this publisher; others may forget it. */
  goodbye(): void {
    if (this.connected && this.idle) this.#sendNext('goodbye');
  }

  /** To be called at the heartbeat. */
  tick(): void {
    this.#link.tick();
    this.#inFlightTicks++;
    this.heartbeat();
    const client = this.#link.client;
    if (!client) return;
    // No error would tell: the publishes of a replica just stop reaching the others.
    isPrimary(client).then(
      (primary) => primary || this.#demote(client),
      (error: Error) => this.#failIf(client, error),
    );
  }

  #up(): void {
    if (this.#inFlightTicks > this.#options.silentTicksMax) this.#giveUp();
    if (this.#inFlight) this.#send(this.#inFlight);
    else this.#sendNext('messages');
  }

  /**
   * What could not be handed over in time would be out of place later, when those who said it have been told and gone on
   * elsewhere. Its number goes out empty, so that nobody else takes the gap for a loss.
   */
  #giveUp(): void {
    const waiting = this.#inFlight !== undefined && this.#inFlight.length > envelopeHeaderBytes;
    if (!waiting && this.#queue.messages === 0) return;
    this.#inFlight = this.#inFlight?.subarray(0, envelopeHeaderBytes);
    this.#queue.clear();
    this.#options.gaveUp('messages that were accepted could not be handed to Redis in time');
  }

  #flush(): void {
    if (this.#queue.messages > 0 && !this.#inFlight && this.connected) this.#sendNext('messages');
  }

  #sendNext(kind: EnvelopeHeader['kind']): void {
    const waiting = this.#queue.messages;
    const header = {
      kind,
      publisher: this.#options.publisher,
      sequence: ++this.#sequence,
      publishedAtMs: performance.timeOrigin + performance.now(),
    };
    const envelope = this.#queue.take(header, this.#options.envelopeBytesMax);
    const messages = waiting - this.#queue.messages;
    if (messages > 0) this.#options.meter.batchSent(messages);
    this.#inFlightTicks = 0;
    this.#send(envelope);
  }

  #send(envelope: Buffer): void {
    this.#inFlight = envelope;
    this.#options.meter.queueBytes(this.#queuedBytes());
    const client = this.#link.client!;
    client.publish(this.#options.channel, envelope).then(
      () => this.#acknowledge(client),
      (error: Error) => this.#failIf(client, error),
    );
  }

  #acknowledge(client: Redis): void {
    if (!this.#link.isPresent(client)) return;
    this.#link.heard();
    this.#inFlight = undefined;
    this.#acknowledged = this.#sequence;
    this.#flush();
    this.#options.meter.queueBytes(this.#queuedBytes());
  }

  #demote(client: Redis): void {
    if (!this.#link.isPresent(client)) return;
    this.#link.fail(demotion);
    this.#options.demoted(demotion);
  }

  #failIf(client: Redis, error: Error): void {
    if (this.#link.isPresent(client)) this.#link.fail(error.message);
  }

  #queuedBytes(): number {
    return this.#queue.bytes + (this.#inFlight?.length ?? 0);
  }
}

const demotion = 'this Redis is a replica, whose publishes only its own clients would hear';

/** False for a replica; true where the role cannot be asked, because some access lists and services do not allow it. */
async function isPrimary(client: Redis): Promise<boolean> {
  try {
    const [role] = (await client.role()) as [string];
    return role === 'master';
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return true;
    throw error;
  }
}

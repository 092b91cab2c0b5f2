/** The subscribing side of the Redis backplane: hears all envelopes, its own process's too, and whether one is missing. */
import type { Redis } from 'ioredis';
import type { BackplaneEvents } from './backplane.ts';
import { EnvelopeError, type EnvelopeHeader, readEnvelopeHeader, visitEnvelope } from './batch.ts';
import type { BackplaneMeter } from './meter.ts';
import { RedisLink } from './redis-link.ts';
import { SequenceCheck } from './sequence.ts';

export type RedisSubscriberOptions = {
  url: string;
  channel: string;
  /** The publisher whose envelopes are this process's own. */
  publisher: string;
  meter: BackplaneMeter;
  silentTicksMax: number;
  events: BackplaneEvents;
  /** The subscription stands anew. */
  subscribed(): void;
};

export class RedisSubscriber {
  readonly #options: RedisSubscriberOptions;
  readonly #link: RedisLink;
  readonly #sequences = new SequenceCheck();
  #heardItself = false;
  #echoed = 0;
  #echoMissingTicks = 0;

  constructor(options: RedisSubscriberOptions) {
    this.#options = options;
    this.#link = new RedisLink({
      url: options.url,
      name: `chat-subscribe-${options.publisher}`,
      silentTicksMax: options.silentTicksMax,
      prepare: (client) => this.#subscribe(client),
      up: () => options.subscribed(),
      lost: (reason) => this.#lost(reason),
    });
  }

  get connected(): boolean {
    return this.#link.client !== undefined;
  }

  /** True when an envelope of this very process has come back over the present subscription. */
  get proven(): boolean {
    return this.connected && this.#heardItself;
  }

  get lastFailure(): string {
    return this.#link.lastFailure;
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

  /**
   * To be called at the heartbeat, with the newest of our own envelopes that Redis carried out. The connection may be
   * well (PING) and still be the wrong one, when publishing goes to another server: then our own do not come back.
   */
  tick(acknowledged: number): void {
    this.#link.tick();
    const client = this.#link.client;
    if (!client) return;
    client.ping().then(
      () => this.#link.isPresent(client) && this.#link.heard(),
      // The connection is closing, which is reported by itself.
      () => undefined,
    );
    if (acknowledged <= this.#echoed) this.#echoMissingTicks = 0;
    else if (++this.#echoMissingTicks > this.#options.silentTicksMax) {
      this.#link.fail('what this process publishes does not come back');
    }
  }

  async #subscribe(client: Redis): Promise<void> {
    client.on('messageBuffer', (_channel: Buffer, envelope: Buffer) => {
      if (this.#link.isPresent(client)) this.#hear(envelope);
    });
    this.#heardItself = false;
    this.#echoMissingTicks = 0;
    this.#sequences.resubscribed();
    await client.subscribe(this.#options.channel);
  }

  #lost(reason: string): void {
    this.#options.meter.reconnecting();
    this.#options.events.interrupted(`the subscription to Redis was lost: ${reason}`);
  }

  #hear(envelope: Buffer): void {
    const { events, publisher } = this.#options;
    this.#link.heard();
    try {
      const header = readEnvelopeHeader(envelope);
      const verdict = this.#sequences.check(header.publisher, header.sequence);
      if (header.publisher === publisher) this.#hearItself(header);
      if (verdict === 'repeated') return;
      if (verdict === 'gap')
        events.interrupted(`what came before envelope ${header.sequence} did not arrive`);
      visitEnvelope(envelope, (room, payload) => events.deliver(room, payload));
      if (header.kind === 'goodbye') this.#sequences.forget(header.publisher);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      events.interrupted(`an envelope could not be read: ${error.message}`);
    }
  }

  #hearItself(header: EnvelopeHeader): void {
    this.#heardItself = true;
    this.#echoed = Math.max(this.#echoed, header.sequence);
    this.#echoMissingTicks = 0;
    const lagMs = performance.timeOrigin + performance.now() - header.publishedAtMs;
    this.#options.meter.lagObserved(lagMs / 1000);
  }
}

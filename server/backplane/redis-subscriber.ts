/** The subscribing side of the Redis backplane: receives all batches and notices missing ones. */
import type { Redis } from 'ioredis';
import type { BackplaneEvents } from './backplane.ts';
import { BatchError, readBatchHeader, visitBatch } from './batch.ts';
import { RedisLink, type RedisOptions } from './redis-link.ts';
import { SequenceCheck } from './sequence.ts';

type SubscriberOptions = RedisOptions & {
  /** Id under which this process publishes. */
  publisher: string;
  events: BackplaneEvents;
  /** A new subscription is in service. */
  subscribed(): void;
};

export class RedisSubscriber {
  readonly #options: SubscriberOptions;
  readonly link: RedisLink;
  readonly #sequences = new SequenceCheck();
  #receivedOwn = false;
  #echoed = 0;
  #echoMissingTicks = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.link = new RedisLink({
      ...options,
      // experiments/lab/shapes/faults/scenarios.ts counts the subscriptions by this name.
      name: `chat-subscribe-${options.publisher}`,
      prepare: (client) => this.#subscribe(client),
      up: () => options.subscribed(),
      lost: (reason) => {
        options.meter.reconnects.inc();
        options.events.gap(`the subscription to Redis was lost: ${reason}`);
      },
    });
  }

  /** True when a batch of this process has come back over the present subscription. */
  get receivesOwnBatches(): boolean {
    return this.link.client !== undefined && this.#receivedOwn;
  }

  /**
   * Call at every heartbeat, with the newest of our own batches that Redis has acknowledged. If publishing
   * goes to another server, this one answers PING, but our own batches do not come back.
   */
  tick(acknowledged: number): void {
    this.link.tick();
    const client = this.link.client;
    if (!client) return;
    client.ping().then(
      () => this.link.isPresent(client) && this.link.signOfLife(),
      () => undefined, // The connection is closing, which its own event reports.
    );
    if (acknowledged <= this.#echoed) this.#echoMissingTicks = 0;
    else if (++this.#echoMissingTicks > this.#options.silentTicksMax) {
      this.link.fail('a batch of this process does not come back');
    }
  }

  async #subscribe(client: Redis): Promise<void> {
    client.on('messageBuffer', (_channel: Buffer, batch: Buffer) => {
      if (this.link.isPresent(client)) this.#receive(batch);
    });
    this.#receivedOwn = false;
    this.#echoMissingTicks = 0;
    this.#sequences.resubscribed();
    await client.subscribe(this.#options.channel);
  }

  #receive(batch: Buffer): void {
    const { events, meter, publisher } = this.#options;
    this.link.signOfLife();
    try {
      const header = readBatchHeader(batch);
      const verdict = this.#sequences.check(header.publisher, header.sequence);
      if (header.publisher === publisher) {
        this.#receivedOwn = true;
        this.#echoed = Math.max(this.#echoed, header.sequence);
        this.#echoMissingTicks = 0;
        meter.observeLag(header.publishedAtMs);
      }
      if (verdict === 'repeated') return;
      if (verdict === 'gap') events.gap(`the batches before ${header.sequence} did not arrive`);
      meter.messagesRead.inc(visitBatch(batch, (room, payload) => events.deliver(room, payload)));
      if (header.kind === 'goodbye') this.#sequences.forget(header.publisher);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      events.gap(`a batch could not be read: ${error.message}`);
    }
  }
}

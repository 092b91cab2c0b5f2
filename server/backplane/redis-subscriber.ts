/** The subscribing side of the Redis backplane: receives all batches and notices missing ones. */
import type { Redis } from 'ioredis';
import type { BackplaneEvents } from './backplane.ts';
import { BatchError, type BatchHeader, checkBatch, readBatchHeader, visitBatch } from './batch.ts';
import { RedisLink, type RedisOptions } from './redis-link.ts';
import type { RedisPublisher } from './redis-publisher.ts';
import { SequenceCheck } from './sequence.ts';
import { verify } from './signature.ts';

type SubscriberOptions = RedisOptions & {
  /** The publishing side of this process. */
  own: Pick<RedisPublisher, 'id' | 'confirmEcho' | 'renew'>;
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
  #subscribedTicks = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.link = new RedisLink({
      ...options,
      // experiments/lab/shapes/faults/scenarios.ts counts the subscriptions by this name.
      name: `chat-subscribe-${options.own.id}`,
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
    const { place, silentTicksMax } = this.#options;
    if (place.isSharded && ++this.#subscribedTicks === silentTicksMax) this.#sequences.settle();
    if (acknowledged <= this.#echoed) this.#echoMissingTicks = 0;
    else if (++this.#echoMissingTicks > silentTicksMax) {
      this.link.fail('a batch of this process does not come back');
    }
  }

  async #subscribe(client: Redis): Promise<void> {
    const { channel, place } = this.#options;
    const receive = (_channel: Buffer, batch: Buffer) => {
      if (this.link.isPresent(client)) this.#receive(batch);
    };
    this.#receivedOwn = false;
    this.#echoMissingTicks = 0;
    this.#subscribedTicks = 0;
    this.#sequences.resubscribed();
    if (!place.isSharded) {
      client.on('messageBuffer', receive);
      return void (await client.subscribe(channel));
    }
    // A replica would take the subscription as well, and tell nobody that it has got another primary.
    const { fault } = await place.check(client);
    if (fault !== undefined) throw new Error(fault);
    client.on('smessageBuffer', receive);
    // The server has ended the subscription by itself: the slot of the channel has another primary.
    client.on('moved', () => this.link.fail('the slot of the channel was moved', client));
    await client.ssubscribe(channel);
  }

  #receive(bytes: Buffer): void {
    const { events, meter, channel, secret } = this.#options;
    this.link.signOfLife();
    let batch: Buffer;
    try {
      batch = verify(bytes, channel, secret);
    } catch (error) {
      // Nobody who knows the secret sent it, so it stands for nothing that was missed.
      return this.#refuse('signature', error);
    }
    let header: BatchHeader;
    try {
      if (batch.length > 2 * this.#options.queueBytesMax) throw new BatchError('it is larger than any batch');
      header = readBatchHeader(batch);
      checkBatch(batch);
    } catch (error) {
      this.#refuse('unreadable', error);
      return events.gap(`a batch could not be read: ${(error as BatchError).message}`);
    }
    const verdict = this.#sequences.check(header.publisher, header.sequence);
    if (verdict === 'implausible') return meter.refused.inc({ reason: 'sequence' });
    if (verdict === 'repeated' || !this.#acceptEcho(header)) return;
    if (verdict === 'gap') events.gap(`the batches before ${header.sequence} did not arrive`);
    meter.messagesRead.inc(visitBatch(batch, (room, payload) => events.deliver(room, payload)));
    if (header.kind === 'goodbye') this.#sequences.end(header.publisher);
  }

  /** Notes that a batch of this process came back. False: it bears our id, but we never sent it. */
  #acceptEcho(header: BatchHeader): boolean {
    const { own, meter } = this.#options;
    if (header.publisher !== own.id) return true;
    if (!own.confirmEcho(header)) {
      meter.refused.inc({ reason: 'impersonation' });
      own.renew(header.sequence);
      return false;
    }
    this.#receivedOwn = true;
    this.#echoed = Math.max(this.#echoed, header.sequence);
    this.#echoMissingTicks = 0;
    meter.observeLag(header.publishedAtMs);
    return true;
  }

  #refuse(reason: 'signature' | 'unreadable', error: unknown): void {
    if (!(error instanceof BatchError)) throw error;
    this.#options.meter.refused.inc({ reason });
  }
}

/**
 * The backplane between nodes, over Redis pub/sub: the messages of one turn of the event loop are one Redis
 * message.
 *
 * Order: one for all. Redis carries out one PUBLISH after the other, and every node, the publishing one
 * included, delivers only the batches that come back. So all sessions of a room receive its messages in one
 * order.
 *
 * Losses that pub/sub would not report, and how each one ends in `gap`:
 * - the subscription breaks (crash, CLIENT KILL, output buffer over its limit): the connection closes;
 * - it hangs (frozen Redis, a network that drops packets): PING stays without an answer for some heartbeats;
 * - publishing and subscribing end at different servers (failover, DNS): our own batches do not come back;
 * - Redis became a replica, whose publishes reach only its own clients: ROLE is asked at every heartbeat;
 * - anything else that drops a batch: the publisher's next sequence number, a heartbeat later at most, shows
 *   a gap.
 * A batch in doubt is sent again under its old number within the same few heartbeats. After them it is given
 * up, and only the sessions of its publisher are told, because no other session was owed it.
 *
 * Not reported, because no session was owed more than it got: a node that dies loses the messages that Redis
 * had not taken from it; its own sessions, which never received the echo, lose their connections too. Not
 * detected: an old primary that is cut off *together* with some nodes and their clients, which go on as a
 * smaller chat. Only a quorum rules that out.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { group, text } from '../settings.ts';
import type { Backplane, BackplaneEvents } from './backplane.ts';
import { type BackplaneMeter, countGaps, silentMeter } from './meter.ts';
import { RedisPublisher } from './redis-publisher.ts';
import { RedisSubscriber } from './redis-subscriber.ts';

export const redisSettings = group('Redis backplane (stage 05)', {
  redisUrl: text('redis://127.0.0.1:6379', 'Redis that carries frames between nodes'),
});

export type RedisPubSubOptions = {
  /** `redis://[user:password@]host:port`, or `rediss://` for TLS. */
  url: string;
  meter?: BackplaneMeter;
  /** All nodes of one chat share it. Its number is the version of a batch, so that versions never meet. */
  channel?: string;
  /** Largest batch, in bytes; a message that is larger travels alone. */
  batchBytesMax?: number;
  /** Bytes accepted and not yet acknowledged by Redis; beyond it `publish` refuses. */
  queueBytesMax?: number;
  heartbeatIntervalMs?: number;
  /** Heartbeats without a sign of life after which a connection counts as dead. */
  silentTicksMax?: number;
  startDeadlineMs?: number;
  closeDeadlineMs?: number;
};

/**
 * Chosen, not measured. A dead link is noticed within 2.5 s. The largest batch stays far below the 8 MiB at
 * which Redis starts to count a subscriber as slow.
 */
const defaults = {
  meter: silentMeter,
  channel: 'chat:1',
  batchBytesMax: 256 * 1024,
  queueBytesMax: 8 * 1024 * 1024,
  heartbeatIntervalMs: 500,
  silentTicksMax: 4,
  startDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
};

type Running = { publisher: RedisPublisher; subscriber: RedisSubscriber; heartbeat: NodeJS.Timeout };

export class RedisPubSubBackplane implements Backplane {
  readonly #options: Required<RedisPubSubOptions>;
  #running: Running | undefined;
  #closing = false;

  constructor(options: RedisPubSubOptions) {
    this.#options = { ...defaults, ...options };
  }

  get ready(): boolean {
    const running = this.#running;
    return (
      running !== undefined && !this.#closing && running.publisher.link.connected && running.subscriber.proven
    );
  }

  async start(events: BackplaneEvents): Promise<void> {
    const running = this.#run(events);
    running.subscriber.link.open();
    running.publisher.link.open();
    if (await waitFor(() => this.ready, this.#options.startDeadlineMs)) return;
    const { lastFailure } = running.publisher.link.connected
      ? running.subscriber.link
      : running.publisher.link;
    this.#stop();
    throw new Error(`Redis at ${withoutPassword(this.#options.url)} cannot be used: ${lastFailure}`);
  }

  want(): void {}

  unwant(): void {}

  publish(room: string, payload: Buffer): boolean {
    return this.ready && this.#running!.publisher.publish(room, payload);
  }

  async close(): Promise<void> {
    if (!this.#running || this.#closing) return;
    this.#closing = true;
    const { publisher } = this.#running;
    const sent = () => waitFor(() => publisher.idle, this.#options.closeDeadlineMs);
    if (await sent()) {
      publisher.goodbye();
      await sent();
    }
    this.#stop();
  }

  #run(received: BackplaneEvents): Running {
    const { meter, heartbeatIntervalMs } = this.#options;
    const publisherId = randomBytes(8).toString('hex');
    const events = countGaps(received, meter);
    const publisher = new RedisPublisher({
      ...this.#options,
      publisher: publisherId,
      gaveUp: (reason) => events.gap(reason),
      demoted: (reason) => subscriber.link.fail(reason),
    });
    const subscriber = new RedisSubscriber({
      ...this.#options,
      publisher: publisherId,
      events,
      // The node is ready when a batch of its own has come back; without this one it would wait for the next
      // heartbeat.
      subscribed: () => publisher.heartbeat(),
    });
    const tick = () => {
      subscriber.tick(publisher.acknowledged);
      publisher.tick();
    };
    this.#running = { publisher, subscriber, heartbeat: setInterval(tick, heartbeatIntervalMs) };
    return this.#running;
  }

  #stop(): void {
    clearInterval(this.#running?.heartbeat);
    this.#running?.publisher.link.close();
    this.#running?.subscriber.link.close();
    this.#running = undefined;
  }
}

async function waitFor(holds: () => boolean, deadlineMs: number): Promise<boolean> {
  const deadlineAtMs = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > deadlineAtMs) return false;
    await sleep(5);
  }
  return true;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}

/**
 * The backplane between nodes, over Redis pub/sub: what one turn of the event loop brought is one Redis message.
 *
 * Order: one for all. Redis carries out one PUBLISH after the other, and every node, the publishing one included, hears
 * only what comes back; so all sessions of a room that were not interrupted hear all its messages in one order.
 *
 * What pub/sub itself would lose in silence, and how each ends in `interrupted`:
 * - the subscription breaks (crash, CLIENT KILL, output buffer over its limit): the connection closes;
 * - it hangs (frozen Redis, a network that swallows packets): PING goes unanswered for some heartbeats;
 * - publishing and subscribing end at different servers (failover, DNS): our own envelopes do not come back;
 * - Redis became a replica, whose publishes only its own clients hear: ROLE is asked at every heartbeat;
 * - anything else that drops an envelope: its publisher's next sequence number, a heartbeat later at most, shows a gap.
 * An envelope in doubt is sent again under its old number within the same few heartbeats, and given up after them: then its
 * publisher's own sessions are told, and nobody else, because nobody else was owed it.
 *
 * Not told, because nobody was owed more than he got: a node that dies takes along what Redis had not yet taken from it,
 * and its own sessions, who never heard the echo, are cut off with it. Not seen: an old primary cut off *together* with
 * some nodes and their clients, who go on as a smaller chat; to rule that out takes a quorum, which pub/sub has not.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backplane, BackplaneEvents } from './backplane.ts';
import { type BackplaneMeter, silentMeter } from './meter.ts';
import { RedisPublisher } from './redis-publisher.ts';
import { RedisSubscriber } from './redis-subscriber.ts';

export type RedisBackplaneOptions = {
  /** `redis://[user:password@]host:port`, or `rediss://` for TLS. */
  url: string;
  meter?: BackplaneMeter;
  /** All nodes of one chat share it. Its number is the envelope's version, so that versions never hear each other. */
  channel?: string;
  /** Largest envelope, in bytes; a single message that is larger travels alone. */
  envelopeBytesMax?: number;
  /** Accepted and not yet acknowledged by Redis, in bytes; beyond it `publish` refuses. */
  queueBytesMax?: number;
  heartbeatIntervalMs?: number;
  /** Heartbeats without a sign of life after which a connection counts as dead. */
  silentTicksMax?: number;
  startDeadlineMs?: number;
  closeDeadlineMs?: number;
};

/**
 * Chosen, not measured: a dead link is noticed within 2.5 s, and the largest envelope stays far below the 8 MiB at which
 * Redis starts to count a slow subscriber.
 */
const defaults = {
  meter: silentMeter,
  channel: 'chat:1',
  envelopeBytesMax: 256 * 1024,
  queueBytesMax: 8 * 1024 * 1024,
  heartbeatIntervalMs: 500,
  silentTicksMax: 4,
  startDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
};

type Running = { publisher: RedisPublisher; subscriber: RedisSubscriber; heartbeat: NodeJS.Timeout };

export class RedisBackplane implements Backplane {
  readonly #options: Required<RedisBackplaneOptions>;
  #running: Running | undefined;
  #closing = false;

  constructor(options: RedisBackplaneOptions) {
    this.#options = { ...defaults, ...options };
  }

  get ready(): boolean {
    const running = this.#running;
    return (
      running !== undefined && !this.#closing && running.publisher.connected && running.subscriber.proven
    );
  }

  async start(events: BackplaneEvents): Promise<void> {
    const running = this.#run(events);
    running.subscriber.open();
    running.publisher.open();
    if (await waitFor(() => this.ready, this.#options.startDeadlineMs)) return;
    const { lastFailure } = running.publisher.connected ? running.subscriber : running.publisher;
    this.#stop();
    throw new Error(`Redis at ${withoutPassword(this.#options.url)} cannot be used: ${lastFailure}`);
  }

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
    const events: BackplaneEvents = {
      deliver: (room, payload) => received.deliver(room, payload),
      interrupted: (reason) => {
        meter.lossSuspected();
        received.interrupted(reason);
      },
    };
    const publisher = new RedisPublisher({
      ...this.#options,
      publisher: publisherId,
      gaveUp: (reason) => events.interrupted(reason),
      demoted: (reason) => subscriber.fail(reason),
    });
    const subscriber = new RedisSubscriber({
      ...this.#options,
      publisher: publisherId,
      events,
      // Its echo is what makes us ready; without it that would wait for the next heartbeat.
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
    this.#running?.publisher.close();
    this.#running?.subscriber.close();
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

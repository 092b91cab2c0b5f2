/**
 * The backplane between the workers of one machine: every worker listens to every other over a Unix domain socket, and
 * what one turn of the event loop brought, or several that follow closely, crosses in one write per listener.
 *
 * Order: one per publisher, not one for all. A worker's own sessions hear its messages when they cross, the others
 * a moment later; so two messages said at the same time on two workers may be heard in either order, but the messages of one worker,
 * and so of one sender, are heard by everybody in the order of their publishing. One order for all would take a turn through
 * a sequencing worker, and everybody's sessions with it when that one dies; 05-backplane has it for the price of Redis.
 *
 * Who hears his own message knows that it was handed to the kernel for every worker first: a worker that dies has not
 * shown anything to its own sessions that the others will not hear, unless they were too far behind to take it.
 *
 * What can be missed, and how it shows: a worker that stops reading is let go by the others, and learns from the first
 * envelope after it dialed again that numbers are missing: `interrupted`. A worker that dies takes along what it had not
 * sent; its own sessions, who might count on it, are cut off with it.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backplane, BackplaneEvents } from './backplane.ts';
import { visitEnvelope } from './batch.ts';
import { CorePublisher } from './mesh-publisher.ts';
import { CoreSubscription } from './mesh-subscription.ts';
import { type BackplaneMeter, silentMeter } from './meter.ts';

export type CoresBackplaneOptions = {
  /** Where the sockets of all workers are; private to them. */
  directory: string;
  /** Which of the workers this is, from 0. */
  slot: number;
  /** How many there are, 255 at most. */
  workers: number;
  meter?: BackplaneMeter;
  /** Waiting for the slowest worker, in bytes; beyond it `publish` refuses. */
  queueBytesMax?: number;
  /** From one envelope to the next, at least; a message that follows none waits for the end of its turn alone. */
  envelopeGapMs?: number;
  heartbeatIntervalMs?: number;
  /** Heartbeats in which a worker takes nothing of what waits for it, after which it is let go. */
  stalledTicksMax?: number;
  startDeadlineMs?: number;
  closeDeadlineMs?: number;
};

/**
 * The gap is what nobody feels in a chat, against what an envelope costs beside its messages: some 80 µs of CPU on both ends,
 * most of it for the waking (`perf record` on two workers at 8,000 messages/s), and every worker sends to every other.
 * The others are chosen: a worker that stops reading holds up the others for 2.5 s at most, and only if 8 MiB pile up.
 */
const defaults = {
  meter: silentMeter,
  queueBytesMax: 8 * 1024 * 1024,
  envelopeGapMs: 5,
  heartbeatIntervalMs: 500,
  stalledTicksMax: 4,
  startDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
};

type Running = {
  publisher: CorePublisher;
  subscriptions: Map<number, CoreSubscription>;
  heartbeat: NodeJS.Timeout;
};

export class CoresBackplane implements Backplane {
  readonly #options: Required<CoresBackplaneOptions>;
  #running: Running | undefined;
  #started = false;

  constructor(options: CoresBackplaneOptions) {
    this.#options = { ...defaults, ...options };
  }

  get ready(): boolean {
    return this.#started && this.#running!.subscriptions.values().every(({ state }) => state !== 'dialing');
  }

  async start(received: BackplaneEvents): Promise<void> {
    const running = this.#run(received);
    // Listening before dialing: of two workers that start together, one at least then reaches the other.
    await running.publisher.open();
    for (const subscription of running.subscriptions.values()) subscription.dial();
    const deadlineAtMs = performance.now() + this.#options.startDeadlineMs;
    while (!isMutual(running)) {
      if (performance.now() > deadlineAtMs) {
        await this.close();
        throw new Error('the other workers did not answer in time');
      }
      await sleep(2);
    }
    this.#started = true;
  }

  publish(room: string, payload: Buffer): boolean {
    return this.#started && this.#running!.publisher.publish(room, payload);
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#started = false;
    if (!running) return;
    clearInterval(running.heartbeat);
    await running.publisher.close(this.#options.closeDeadlineMs);
    for (const subscription of running.subscriptions.values()) subscription.close();
  }

  #run(received: BackplaneEvents): Running {
    const { directory, slot, workers, meter, queueBytesMax, heartbeatIntervalMs } = this.#options;
    const pathOf = (worker: number) => join(directory, `worker-${worker}.sock`);
    const events: BackplaneEvents = {
      deliver: (room, payload) => received.deliver(room, payload),
      interrupted: (reason) => {
        meter.lossSuspected();
        received.interrupted(reason);
      },
    };
    const subscriptions = new Map<number, CoreSubscription>();
    for (let peer = 0; peer < workers; peer++) {
      if (peer === slot) continue;
      const path = pathOf(peer);
      // One envelope holds at most what may be queued, and the message that went over it.
      const envelopeBytesMax = 2 * queueBytesMax;
      subscriptions.set(peer, new CoreSubscription({ path, slot, meter, envelopeBytesMax, events }));
    }
    const publisher = new CorePublisher({
      ...this.#options,
      path: pathOf(slot),
      publisher: randomBytes(8).toString('hex'),
      joined: (peer) => subscriptions.get(peer)?.dial(),
      sent: (envelope) => visitEnvelope(envelope, events.deliver),
    });
    const heartbeat = setInterval(() => publisher.tick(), heartbeatIntervalMs);
    this.#running = { publisher, subscriptions, heartbeat };
    return this.#running;
  }
}

/** True when we hear every worker that is there, and it hears us. */
function isMutual({ publisher, subscriptions }: Running): boolean {
  return subscriptions
    .entries()
    .every(([peer, { state }]) => state === 'absent' || (state === 'joined' && publisher.hears(peer)));
}

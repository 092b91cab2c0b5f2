/**
 * The backplane between the workers of one machine. Every worker listens to every other worker over a Unix
 * domain socket. The messages of one turn of the event loop, or of several that follow closely, cross in one
 * write per subscriber.
 *
 * Order: one per publisher, not one for all. The sessions of a worker receive its messages when these cross,
 * the sessions of other workers a moment later. So two messages sent at the same time on two workers may
 * arrive in either order, but the messages of one worker, and so of one sender, arrive everywhere in the
 * order of their publishing. One order for all would need one worker that numbers all messages, and its death
 * would cost all sessions; 05-backplane pays Redis for it.
 *
 * A session receives its own message only after the message was handed to the kernel for every other worker.
 * So a worker that dies has shown its own sessions nothing that the others will not receive, unless they were
 * too far behind.
 *
 * The supervisor says which workers run. A worker that does not reach one of these is not ready: whether its
 * socket is missing because it died, or because somebody removed the file, does not show in the file.
 *
 * Possible losses, and how each one shows: a worker that stops reading is disconnected by the others. The
 * first batch after it has connected again tells it that sequence numbers are missing, and it calls `gap`. A
 * worker that dies loses the messages that it had not sent; its own sessions, the only ones that could have
 * seen them, lose their connections too.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backplane, BackplaneEvents } from './backplane.ts';
import { visitBatch } from './batch.ts';
import { LiveWorkers } from './live-workers.ts';
import { type MeshOptions, MeshPublisher, type WorkerPlace } from './mesh-publisher.ts';
import { MeshSubscription } from './mesh-subscription.ts';
import { countGaps, createBackplaneMeter } from './meter.ts';

/**
 * The batch interval is too short to be felt. A batch costs some 80 µs of CPU on both ends beside its
 * messages, most of it for the wake-up (`perf record` on two workers at 8,000 messages/s). The others are
 * chosen: a worker that stops reading delays the others for 2.5 s at most, and only if 8 MiB pile up.
 */
const defaults = {
  queueBytesMax: 8 * 1024 * 1024,
  batchIntervalMs: 5,
  heartbeatIntervalMs: 500,
  stalledTicksMax: 4,
  startDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
};

type Running = {
  publisher: MeshPublisher;
  subscriptions: Map<number, MeshSubscription>;
  heartbeat: NodeJS.Timeout;
  /** True once all workers listen to each other. */
  started: boolean;
};

export class SocketMeshBackplane implements Backplane {
  readonly #options: MeshOptions;
  #running: Running | undefined;

  constructor(options: Partial<MeshOptions> & WorkerPlace) {
    this.#options = { meter: createBackplaneMeter(), live: new LiveWorkers(), ...defaults, ...options };
  }

  get ready(): boolean {
    if (!this.#running?.started) return false;
    const reached = ([peer, { state }]: [number, MeshSubscription]) =>
      state === 'joined' || (state === 'absent' && !this.#options.live.has(peer));
    return this.#running.subscriptions.entries().every(reached);
  }

  get congested(): boolean {
    return this.#running?.publisher.congested ?? false;
  }

  async start(events: BackplaneEvents): Promise<void> {
    const running = this.#run(events);
    // Listen before connecting: of two workers that start together, at least one then reaches the other.
    await running.publisher.open();
    for (const subscription of running.subscriptions.values()) subscription.connect();
    const deadlineAtMs = performance.now() + this.#options.startDeadlineMs;
    while (!this.#isMutual(running)) {
      if (performance.now() > deadlineAtMs) {
        await this.close();
        throw new Error('the other workers did not answer in time');
      }
      await sleep(2);
    }
    running.started = true;
  }

  want(): void {}

  unwant(): void {}

  publish(room: string, payload: Buffer): boolean {
    return this.#running?.started === true && this.#running.publisher.publish(room, payload);
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    clearInterval(running.heartbeat);
    await running.publisher.close();
    for (const subscription of running.subscriptions.values()) subscription.close();
  }

  #run(events: BackplaneEvents): Running {
    const { directory, workerNumber, workers, meter, queueBytesMax, live } = this.#options;
    const pathOf = (worker: number) => join(directory, `worker-${worker}.sock`);
    const counted = countGaps(events, meter);
    // One batch holds at most a full queue, and the message that exceeded it.
    const batchBytesMax = 2 * queueBytesMax;
    const subscriptions = new Map<number, MeshSubscription>();
    for (let peer = 0; peer < workers; peer++) {
      if (peer === workerNumber) continue;
      const expected = () => live.has(peer);
      const options = { ...this.#options, path: pathOf(peer), batchBytesMax, events: counted, expected };
      subscriptions.set(peer, new MeshSubscription(options));
    }
    live.changed = () => {
      for (const [peer, subscription] of subscriptions) if (live.has(peer)) subscription.connect();
    };
    const publisher = new MeshPublisher({
      ...this.#options,
      path: pathOf(workerNumber),
      joined: (peer) => subscriptions.get(peer)?.connect(),
      deliverToOwnSessions: (batch) => meter.messagesRead.inc(visitBatch(batch, counted.deliver)),
    });
    const heartbeat = setInterval(() => publisher.tick(), this.#options.heartbeatIntervalMs);
    this.#running = { publisher, subscriptions, heartbeat, started: false };
    return this.#running;
  }

  /** True when this worker listens to every worker that runs, and each of them listens to this one. */
  #isMutual({ publisher, subscriptions }: Running): boolean {
    for (const [peer, { state }] of subscriptions) {
      if (state === 'connecting' || (state === 'absent' && this.#options.live.has(peer))) return false;
      if (state === 'joined' && !publisher.hasSubscriber(peer)) return false;
    }
    return true;
  }
}

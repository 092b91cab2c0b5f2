/** The publishing side of one worker: it writes each batch once to every worker that subscribes. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { listen } from '../ops/listen.ts';
import { congestedBytes } from './backplane.ts';
import { type BatchHeader, BatchQueue, epochMs } from './batch.ts';
import { withLength } from './batch-reader.ts';
import type { LiveWorkers } from './live-workers.ts';
import type { BackplaneMeter } from './meter.ts';

/** The place of a process among the workers of one machine; set by their supervisor. */
export type WorkerPlace = {
  /** The folder of the sockets of all workers, private to them. */
  readonly directory: string;
  /** From 0. */
  readonly workerNumber: number;
  /** Number of workers, 255 at most. */
  readonly workers: number;
};

export type MeshOptions = WorkerPlace & {
  /** The workers that must be reached. */
  live: LiveWorkers;
  meter: BackplaneMeter;
  /** Bytes waiting for the slowest worker; beyond it `publish` refuses. */
  queueBytesMax: number;
  /** Least time between two batches, in ms; a later message waits only for the end of its turn. */
  batchIntervalMs: number;
  heartbeatIntervalMs: number;
  /** Heartbeats in which a worker takes no byte that waits for it, until it is disconnected. */
  stalledTicksMax: number;
  startDeadlineMs: number;
  closeDeadlineMs: number;
};

type PublisherOptions = MeshOptions & {
  path: string;
  /** The worker of this number subscribes from now on. */
  joined(workerNumber: number): void;
  /** Called when a batch is on its way to every subscriber. */
  deliverToOwnSessions(batch: Buffer): void;
};

type Subscriber = {
  readonly socket: Socket;
  readonly workerNumber: number;
  /** Bytes that the kernel had taken for it at the last tick. */
  takenBytes: number;
  stalledTicks: number;
};

export class MeshPublisher {
  readonly #options: PublisherOptions;
  readonly #publisher = randomBytes(8).toString('hex');
  #server: Server;
  readonly #subscribers = new Set<Subscriber>();
  readonly #queue = new BatchQueue();
  #sequence = 0;
  #opened = false;
  #closed = false;
  #restoring = false;
  #flushing = false;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#server = this.#createServer();
  }

  /** Begins to listen, and removes the socket that an earlier worker may have left when it died. */
  async open(): Promise<void> {
    await rm(this.#options.path, { force: true });
    await listen(this.#server, { path: this.#options.path });
    this.#opened = true;
  }

  /**
   * Listens anew when the socket file is gone: cleaners of temporary files remove what is old. The present
   * subscribers stay connected, but another worker could not subscribe.
   */
  async #restoreSocket(): Promise<void> {
    const { path, directory } = this.#options;
    const gone = await stat(path).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (!gone || this.#closed) return;
    this.#server.close();
    this.#server = this.#createServer();
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await this.open();
  }

  #createServer(): Server {
    return createServer((socket) => this.#accept(socket));
  }

  hasSubscriber(workerNumber: number): boolean {
    return this.#subscribers.values().some((subscriber) => subscriber.workerNumber === workerNumber);
  }

  get congested(): boolean {
    return this.#backlogBytes() > congestedBytes(this.#options.queueBytesMax);
  }

  publish(room: string, payload: Buffer): boolean {
    if (this.#backlogBytes() + payload.length > this.#options.queueBytesMax) return false;
    this.#queue.push(room, payload);
    if (!this.#flushing) this.#flushSoon();
    return true;
  }

  /** Call at every heartbeat. Disconnects a subscriber that takes nothing for some ticks. */
  tick(): void {
    if (this.#opened && !this.#restoring) {
      this.#restoring = true;
      // A disk that is full now may not be at the next heartbeat; until then the others cannot subscribe.
      const done = () => {
        this.#restoring = false;
      };
      this.#restoreSocket().then(done, done);
    }
    for (const subscriber of this.#subscribers) {
      const { bytesWritten, writableLength } = subscriber.socket;
      const takenBytes = bytesWritten - writableLength;
      if (writableLength === 0 || takenBytes > subscriber.takenBytes) subscriber.stalledTicks = 0;
      else if (++subscriber.stalledTicks > this.#options.stalledTicksMax) subscriber.socket.destroy();
      subscriber.takenBytes = takenBytes;
    }
  }

  /** Sends the accepted messages and a goodbye, then closes; waits for subscribers until the deadline. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#server.close();
    this.#flush();
    this.#broadcast('goodbye');
    const ends = [...this.#subscribers].map(({ socket }) => {
      setTimeout(() => socket.destroy(), this.#options.closeDeadlineMs).unref();
      return new Promise((resolve) => socket.once('close', resolve).end());
    });
    await Promise.all(ends);
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined); // `close` follows.
    socket.once('data', (hello) => {
      const workerNumber = hello[0]!;
      const subscriber: Subscriber = { socket, workerNumber, takenBytes: 0, stalledTicks: 0 };
      // Queued messages are for the subscribers of before; this one starts after them.
      this.#flush();
      socket.write(withLength(this.#queue.take(this.#header('messages', this.#sequence), 0)));
      this.#subscribers.add(subscriber);
      socket.once('close', () => this.#subscribers.delete(subscriber));
      this.#options.joined(workerNumber);
    });
  }

  /** Waits until all sockets of this turn have been read, so that their messages share one write. */
  #flushSoon(): void {
    this.#flushing = true;
    const waitMs = this.#flushedAtMs + this.#options.batchIntervalMs - performance.now();
    if (waitMs > 0) setTimeout(() => this.#flush(), waitMs);
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    this.#flushedAtMs = performance.now();
    if (this.#queue.messages > 0) this.#broadcast('messages');
    this.#options.meter.queueBytes.set(this.#backlogBytes());
  }

  #broadcast(kind: BatchHeader['kind']): void {
    const { messages } = this.#queue;
    const batch = this.#queue.take(this.#header(kind, ++this.#sequence), Number.POSITIVE_INFINITY);
    const piece = withLength(batch);
    for (const { socket } of this.#subscribers) socket.write(piece);
    if (messages > 0) this.#options.meter.batchMessages.observe(messages);
    this.#options.deliverToOwnSessions(batch);
  }

  #header(kind: BatchHeader['kind'], sequence: number): BatchHeader {
    return { kind, publisher: this.#publisher, sequence, publishedAtMs: epochMs() };
  }

  #backlogBytes(): number {
    let unsent = 0;
    for (const { socket } of this.#subscribers) unsent = Math.max(unsent, socket.writableLength);
    return this.#queue.bytes + unsent;
  }
}

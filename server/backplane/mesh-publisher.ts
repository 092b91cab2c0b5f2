/** The publishing side of one worker: it writes each batch once to every worker that listens. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { listen } from '../ops/listen.ts';
import { type BatchHeader, BatchQueue, epochMs } from './batch.ts';
import { withLength } from './batch-reader.ts';
import type { BackplaneMeter } from './meter.ts';

/** The place of a process among the workers of one machine; set by their supervisor. */
export type WorkerPlace = {
  /** The folder of the sockets of all workers, private to them. */
  readonly directory: string;
  /** Number of this worker, from 0. */
  readonly slot: number;
  /** Number of workers, 255 at most. */
  readonly workers: number;
};

export type MeshOptions = WorkerPlace & {
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
  /** The worker of that slot listens now. */
  joined(slot: number): void;
  /** A batch is on its way to every listener. */
  sent(batch: Buffer): void;
};

type Listener = {
  readonly socket: Socket;
  readonly slot: number;
  /** Bytes that the kernel had taken for it at the last tick. */
  takenBytes: number;
  stalledTicks: number;
};

export class MeshPublisher {
  readonly #options: PublisherOptions;
  readonly #publisher = randomBytes(8).toString('hex');
  readonly #server: Server;
  readonly #listeners = new Set<Listener>();
  readonly #queue = new BatchQueue();
  #sequence = 0;
  #flushing = false;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Begins to listen, and removes the socket that an earlier worker may have left when it died. */
  async open(): Promise<void> {
    await rm(this.#options.path, { force: true });
    await listen(this.#server, { path: this.#options.path });
  }

  isHeardBy(slot: number): boolean {
    return this.#listeners.values().some((listener) => listener.slot === slot);
  }

  publish(room: string, payload: Buffer): boolean {
    if (this.#backlogBytes() + payload.length > this.#options.queueBytesMax) return false;
    this.#queue.push(room, payload);
    if (!this.#flushing) this.#flushSoon();
    return true;
  }

  /** Call at every heartbeat. Disconnects a listener that takes nothing for some ticks. */
  tick(): void {
    for (const listener of this.#listeners) {
      const { bytesWritten, writableLength } = listener.socket;
      const takenBytes = bytesWritten - writableLength;
      if (writableLength === 0 || takenBytes > listener.takenBytes) listener.stalledTicks = 0;
      else if (++listener.stalledTicks > this.#options.stalledTicksMax) listener.socket.destroy();
      listener.takenBytes = takenBytes;
    }
  }

  /** Sends the accepted messages and a goodbye, then closes; waits for slow listeners until the deadline. */
  async close(): Promise<void> {
    this.#server.close();
    this.#flush();
    this.#broadcast('goodbye');
    const ends = [...this.#listeners].map(({ socket }) => {
      setTimeout(() => socket.destroy(), this.#options.closeDeadlineMs).unref();
      return new Promise((resolve) => socket.once('close', resolve).end());
    });
    await Promise.all(ends);
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined); // `close` follows.
    socket.once('data', (hello) => {
      const listener: Listener = { socket, slot: hello[0]!, takenBytes: 0, stalledTicks: 0 };
      // Queued messages are for the listeners of before; this one starts after them.
      this.#flush();
      socket.write(withLength(this.#queue.take(this.#header('messages', this.#sequence), 0)));
      this.#listeners.add(listener);
      socket.once('close', () => this.#listeners.delete(listener));
      this.#options.joined(listener.slot);
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
    for (const { socket } of this.#listeners) socket.write(piece);
    if (messages > 0) this.#options.meter.batchMessages.observe(messages);
    this.#options.sent(batch);
  }

  #header(kind: BatchHeader['kind'], sequence: number): BatchHeader {
    return { kind, publisher: this.#publisher, sequence, publishedAtMs: epochMs() };
  }

  #backlogBytes(): number {
    let unsent = 0;
    for (const { socket } of this.#listeners) unsent = Math.max(unsent, socket.writableLength);
    return this.#queue.bytes + unsent;
  }
}

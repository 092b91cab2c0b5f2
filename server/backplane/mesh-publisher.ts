/** The publishing side of one worker: the sockets of the workers that listen to it, one write per envelope and socket. */
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { type EnvelopeHeader, EnvelopeQueue } from './batch.ts';
import { withLength } from './batch-reader.ts';
import type { BackplaneMeter } from './meter.ts';

export type CorePublisherOptions = {
  path: string;
  /** 16 hexadecimal digits, drawn for this process. */
  publisher: string;
  meter: BackplaneMeter;
  /** Waiting for the slowest listener, in bytes; beyond it `publish` refuses. */
  queueBytesMax: number;
  stalledTicksMax: number;
  /** From one envelope to the next, at least. */
  envelopeGapMs: number;
  /** The worker of that slot listens to us now. */
  joined(slot: number): void;
  /** An envelope is on its way to every listener. */
  sent(envelope: Buffer): void;
};

type Listener = {
  readonly socket: Socket;
  readonly slot: number;
  /** What the kernel had taken for it at the last tick, in bytes. */
  takenBytes: number;
  stalledTicks: number;
};

export class CorePublisher {
  readonly #options: CorePublisherOptions;
  readonly #server: Server;
  readonly #listeners = new Set<Listener>();
  readonly #queue = new EnvelopeQueue();
  #sequence = 0;
  #flushing = false;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: CorePublisherOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Begins to listen, in place of a predecessor that may have died here. */
  async open(): Promise<void> {
    await rm(this.#options.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.path, resolve);
    });
  }

  hears(slot: number): boolean {
    return this.#listeners.values().some((listener) => listener.slot === slot);
  }

  publish(room: string, payload: Buffer): boolean {
    if (this.#backlogBytes() + payload.length > this.#options.queueBytesMax) return false;
    this.#queue.push(room, payload);
    if (!this.#flushing) this.#flushSoon();
    return true;
  }

  /** To be called at the heartbeat: a listener that takes nothing for some ticks is let go, and will know by the gap. */
  tick(): void {
    for (const listener of this.#listeners) {
      const { bytesWritten, writableLength } = listener.socket;
      const takenBytes = bytesWritten - writableLength;
      if (writableLength === 0 || takenBytes > listener.takenBytes) listener.stalledTicks = 0;
      else if (++listener.stalledTicks > this.#options.stalledTicksMax) listener.socket.destroy();
      listener.takenBytes = takenBytes;
    }
  }

  /** Sends what was accepted and a goodbye, then closes; a listener that takes nothing is not waited for beyond the deadline. */
  async close(deadlineMs: number): Promise<void> {
    this.#server.close();
    this.#flush();
    this.#broadcast('goodbye');
    const ends = [...this.#listeners].map(
      ({ socket }) =>
        new Promise<void>((resolve) => {
          socket.once('close', resolve);
          socket.end();
          setTimeout(() => socket.destroy(), deadlineMs).unref();
        }),
    );
    await Promise.all(ends);
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined); // 'close' follows and says all
    socket.once('data', (hello) => {
      const listener: Listener = { socket, slot: hello[0]!, takenBytes: 0, stalledTicks: 0 };
      // What is queued goes to the listeners of before; this one starts after it.
      this.#flush();
      socket.write(withLength(this.#queue.take(this.#header('messages', this.#sequence), 0)));
      this.#listeners.add(listener);
      socket.once('close', () => this.#listeners.delete(listener));
      this.#options.joined(listener.slot);
    });
  }

  /** After all sockets of this turn have been read, so that what they brought shares one write; later after a recent one. */
  #flushSoon(): void {
    this.#flushing = true;
    const waitMs = this.#flushedAtMs + this.#options.envelopeGapMs - performance.now();
    if (waitMs > 0) setTimeout(() => this.#flush(), waitMs);
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    this.#flushedAtMs = performance.now();
    if (this.#queue.messages > 0) this.#broadcast('messages');
    this.#options.meter.queueBytes(this.#backlogBytes());
  }

  #broadcast(kind: EnvelopeHeader['kind']): void {
    const { messages } = this.#queue;
    const envelope = this.#queue.take(this.#header(kind, ++this.#sequence), Number.POSITIVE_INFINITY);
    const piece = withLength(envelope);
    for (const { socket } of this.#listeners) socket.write(piece);
    if (messages > 0) this.#options.meter.batchSent(messages);
    this.#options.sent(envelope);
  }

  #header(kind: EnvelopeHeader['kind'], sequence: number): EnvelopeHeader {
    const publishedAtMs = performance.timeOrigin + performance.now();
    return { kind, publisher: this.#options.publisher, sequence, publishedAtMs };
  }

  #backlogBytes(): number {
    let unsent = 0;
    for (const { socket } of this.#listeners) unsent = Math.max(unsent, socket.writableLength);
    return this.#queue.bytes + unsent;
  }
}

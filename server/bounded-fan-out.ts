/**
 * The first fan-out that may meet the open internet: a send per recipient as before, but into a queue that is bounded
 * per session (the slow consumer is evicted) and per room (senders are refused until it has drained).
 */
import { performance } from 'node:perf_hooks';
import { closeCode, frameHeaderBytes } from '#protocol';
import type { FanOut } from './chat.ts';
import type { Metrics } from './metrics.ts';
import type { Session } from './session.ts';

export type BoundedFanOutOptions = {
  readonly outboundBytesMax: number;
  readonly outboundTotalBytesMax: number;
  readonly roomsMax: number;
};

export class BoundedFanOut implements FanOut {
  readonly #options: BoundedFanOutOptions;
  readonly #metrics: Metrics;
  readonly #rooms = new Map<string, Set<Session>>();
  /** Bytes that the room served last had queued, and when that was read: the state of a room that fell silent expires. */
  #queuedBytes = 0;
  #queuedAtMs = 0;

  constructor(options: BoundedFanOutOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  get accepting(): boolean {
    return (
      this.#queuedBytes <= this.#options.outboundTotalBytesMax || performance.now() - this.#queuedAtMs > 1000
    );
  }

  join(session: Session): boolean {
    let room = this.#rooms.get(session.room);
    if (room === undefined) {
      if (this.#rooms.size >= this.#options.roomsMax) return false;
      room = new Set();
      this.#rooms.set(session.room, room);
    }
    room.add(session);
    return true;
  }

  leave(session: Session): void {
    const room = this.#rooms.get(session.room);
    if (room?.delete(session) && room.size === 0) this.#rooms.delete(session.room);
  }

  deliver(name: string, payload: Buffer): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const startedAtMs = performance.now();
    let deliveries = 0;
    let queuedBytes = 0;
    for (const session of room) {
      if (!session.open) continue;
      const bufferedBytes = session.ws.bufferedAmount;
      if (bufferedBytes + payload.length > this.#options.outboundBytesMax) {
        this.#evict(session);
        continue;
      }
      // Without `binary: false` ws would send a buffer as a binary frame.
      session.ws.send(payload, { binary: false });
      queuedBytes += bufferedBytes;
      deliveries++;
    }
    this.#queuedBytes = queuedBytes;
    this.#queuedAtMs = performance.now();
    this.#metrics.deliveries.inc(deliveries);
    this.#metrics.deliveredBytes.inc(deliveries * (frameHeaderBytes(payload.length) + payload.length));
    this.#metrics.writes.inc(deliveries);
    this.#metrics.fanOutSeconds.observe((this.#queuedAtMs - startedAtMs) / 1000);
  }

  finish(): boolean {
    return true; // What was sent lies in the socket's queue, and a close frame queues behind it.
  }

  #evict(session: Session): void {
    this.#metrics.evictions.inc({ reason: 'slow_consumer' });
    session.close(closeCode.slowConsumer, 'too far behind');
  }
}

/**
 * The first fan-out that may meet the open internet: a send per recipient as before, but into a queue that is bounded
 * per session and per room. Who exceeds it is evicted: slow readers never cost those who speak or read anything.
 */
import { performance } from 'node:perf_hooks';
import { closeCode } from '#protocol';
import type { Session } from '../gateway/session.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { FanOut } from './chat.ts';
import { frameHeaderBytes } from './frame.ts';

export type BoundedFanOutOptions = {
  readonly outboundBytesMax: number;
  readonly outboundTotalBytesMax: number;
  readonly roomsMax: number;
};

type Room = {
  readonly sessions: Set<Session>;
  /** What its sessions had queued when the last message came, in bytes. */
  queuedBytes: number;
};

export class BoundedFanOut implements FanOut {
  readonly #options: BoundedFanOutOptions;
  readonly #metrics: Metrics;
  readonly #rooms = new Map<string, Room>();

  constructor(options: BoundedFanOutOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  join(session: Session): boolean {
    let room = this.#rooms.get(session.room);
    if (room === undefined) {
      if (this.#rooms.size >= this.#options.roomsMax) return false;
      room = { sessions: new Set(), queuedBytes: 0 };
      this.#rooms.set(session.room, room);
    }
    room.sessions.add(session);
    return true;
  }

  leave(session: Session): void {
    const room = this.#rooms.get(session.room);
    if (room?.sessions.delete(session) && room.sessions.size === 0) this.#rooms.delete(session.room);
  }

  deliver(name: string, payload: Buffer): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const startedAtMs = performance.now();
    const allowedBytes = this.#allowedBytes(room);
    let deliveries = 0;
    let queuedBytes = 0;
    for (const session of room.sessions) {
      if (!session.open) continue;
      const bufferedBytes = session.ws.bufferedAmount;
      if (bufferedBytes > 0 && bufferedBytes + payload.length > allowedBytes) {
        this.#evict(session);
        continue;
      }
      // Without `binary: false` ws would send a buffer as a binary frame.
      session.ws.send(payload, { binary: false });
      queuedBytes += bufferedBytes;
      deliveries++;
    }
    room.queuedBytes = queuedBytes;
    this.#metrics.deliveries.inc(deliveries);
    this.#metrics.deliveredBytes.inc(deliveries * (frameHeaderBytes(payload.length) + payload.length));
    this.#metrics.writes.inc(deliveries);
    this.#metrics.fanOutSeconds.observe((performance.now() - startedAtMs) / 1000);
  }

  /** What a session may have queued: its own bound, or its share of the room's where that is exceeded. */
  #allowedBytes({ sessions, queuedBytes }: Room): number {
    const { outboundBytesMax, outboundTotalBytesMax } = this.#options;
    if (queuedBytes <= outboundTotalBytesMax) return outboundBytesMax;
    return Math.min(outboundBytesMax, outboundTotalBytesMax / sessions.size);
  }

  finish(): boolean {
    return true; // What was sent lies in the socket's queue, and a close frame queues behind it.
  }

  #evict(session: Session): void {
    this.#metrics.evictions.inc({ reason: 'slow_consumer' });
    session.close(closeCode.slowConsumer, 'too far behind');
  }
}

/**
 * Hot path. One send per recipient, into a queue that is bounded per session and per room. A session that
 * exceeds its bound is evicted, so that a slow reader costs the others nothing.
 */
import { performance } from 'node:perf_hooks';
import { size } from '#host/units.ts';
import { closeCode } from '#protocol';
import type { Metrics } from '../ops/metrics.ts';
import { group, limit, type ValuesOf } from '../settings.ts';
import type { FanOut, NoPlace, roomSettings } from './chat.ts';
import { frameHeaderBytes } from './frame.ts';
import type { Member } from './member.ts';

const gibibyte = 1024 ** 3;
const totalBytesHelp = 'bytes queued for all sessions; beyond it each may have only its equal share';
/**
 * Small buffers of a process share pieces of memory, of 64 KiB in Node. ws makes a header for each recipient:
 * while it is queued it keeps its whole piece, with all that others had in it.
 */
const pooledBytes = 1024;
/** Memory that a queued message costs beside its bytes: such a piece, and entries of the queue; chosen. */
const queuedMessageBytes = pooledBytes + 512;
/** Rooms without messages are measured again this often, while all queues together exceed their bound. */
const remeasureMs = 100;

/** The bounds are chosen, not measured. */
export const boundedFanOutSettings = group('Fan-out with bounded queues', {
  outboundBytesMax: limit(
    1024,
    gibibyte,
    1024 ** 2,
    'bytes queued for one session before it is evicted',
    size,
  ),
  outboundTotalBytesMax: limit(1024, 64 * gibibyte, 128 * 1024 ** 2, totalBytesHelp, size),
});

type BoundedFanOutOptions = ValuesOf<typeof boundedFanOutSettings | typeof roomSettings>;

type Room = {
  readonly members: Set<Member>;
  /** Bytes that its members had queued at the last message. */
  queuedBytes: number;
};

export class BoundedFanOut implements FanOut {
  readonly #options: BoundedFanOutOptions;
  readonly #metrics: Metrics;
  /** Never: every queue is bounded by the eviction of its session. */
  readonly full = false;
  readonly #rooms = new Map<string, Room>();
  /** Bytes that all sessions had queued, each room as it was at its last message. */
  #queuedBytes = 0;
  #members = 0;
  #measuredAtMs = 0;

  constructor(options: BoundedFanOutOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
    Buffer.poolSize = pooledBytes;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  join(member: Member): NoPlace | undefined {
    let room = this.#rooms.get(member.room);
    if (room === undefined) {
      if (this.#rooms.size >= this.#options.roomsMax) return 'rooms';
      room = { members: new Set(), queuedBytes: 0 };
      this.#rooms.set(member.room, room);
    }
    room.members.add(member);
    this.#members++;
    return undefined;
  }

  leave(member: Member): void {
    const room = this.#rooms.get(member.room);
    if (!room?.members.delete(member)) return;
    this.#members--;
    if (room.members.size > 0) return;
    this.#rooms.delete(member.room);
    this.#queuedBytes -= room.queuedBytes;
  }

  deliver(name: string, payload: Buffer): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const startedAtMs = performance.now();
    const allowedBytes = this.#allowedBytes(payload.length, startedAtMs);
    let deliveries = 0;
    let partialWrites = 0;
    let queuedBytes = 0;
    for (const { connection } of room.members) {
      if (!connection.open) continue;
      const { bufferedBytes } = connection;
      if (bufferedBytes > 0 && bufferedBytes + payload.length > allowedBytes) {
        this.#metrics.evictions.inc({ reason: 'slow_consumer' });
        connection.close(closeCode.slowConsumer, 'too far behind');
        continue;
      }
      connection.sendText(payload);
      if (connection.bufferedBytes > 0) partialWrites++;
      queuedBytes += bufferedBytes;
      deliveries++;
    }
    this.#queuedBytes += queuedBytes - room.queuedBytes;
    room.queuedBytes = queuedBytes;
    this.#metrics.deliveries.inc(deliveries);
    this.#metrics.deliveredBytes.inc(deliveries * (frameHeaderBytes(payload.length) + payload.length));
    this.#metrics.writes.inc(deliveries);
    this.#metrics.partialWrites.inc(partialWrites);
    this.#metrics.fanOutSeconds.observe((performance.now() - startedAtMs) / 1000);
  }

  flush(): boolean {
    return true; // Messages are in the socket's queue already, and a close frame queues behind them.
  }

  /**
   * Bytes that one session may queue: its own bound, or its share of all once they exceed theirs. A queue of
   * small messages takes more memory than their bytes, so it may hold fewer of these.
   */
  #allowedBytes(payloadBytes: number, nowMs: number): number {
    const { outboundBytesMax, outboundTotalBytesMax } = this.#options;
    const ofMemory = payloadBytes / (payloadBytes + queuedMessageBytes);
    const totalBytesMax = outboundTotalBytesMax * ofMemory;
    if (this.#queuedBytes > totalBytesMax && nowMs - this.#measuredAtMs > remeasureMs) this.#measure(nowMs);
    if (this.#queuedBytes <= totalBytesMax) return outboundBytesMax;
    return Math.min(outboundBytesMax, totalBytesMax / this.#members);
  }

  /** Queues of rooms that have no messages at present may have been read meanwhile. */
  #measure(nowMs: number): void {
    this.#measuredAtMs = nowMs;
    this.#queuedBytes = 0;
    for (const room of this.#rooms.values()) {
      room.queuedBytes = 0;
      for (const { connection } of room.members)
        if (connection.open) room.queuedBytes += connection.bufferedBytes;
      this.#queuedBytes += room.queuedBytes;
    }
  }
}

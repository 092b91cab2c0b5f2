/**
 * Hot path. One send per recipient, into a queue that is bounded per session and per room. A session that
 * exceeds its bound is evicted, so that a slow reader costs the others nothing.
 */
import { performance } from 'node:perf_hooks';
import { closeCode } from '#protocol';
import type { Metrics } from '../ops/metrics.ts';
import { group, limit, type ValuesOf } from '../settings.ts';
import type { FanOut, roomSettings } from './chat.ts';
import { frameHeaderBytes } from './frame.ts';
import type { Member } from './member.ts';

const gibibyte = 1024 ** 3;
const totalBytesHelp = 'bytes queued for one room; beyond it each session may have only its equal share';

/** The bounds are chosen, not measured. */
export const boundedFanOutSettings = group('Fan-out with bounded queues', {
  outboundBytesMax: limit(1024, gibibyte, 1024 ** 2, 'bytes queued for one session before it is evicted'),
  outboundTotalBytesMax: limit(1024, 64 * gibibyte, 256 * 1024 ** 2, totalBytesHelp),
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
  readonly #rooms = new Map<string, Room>();

  constructor(options: BoundedFanOutOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  join(member: Member): boolean {
    let room = this.#rooms.get(member.room);
    if (room === undefined) {
      if (this.#rooms.size >= this.#options.roomsMax) return false;
      room = { members: new Set(), queuedBytes: 0 };
      this.#rooms.set(member.room, room);
    }
    room.members.add(member);
    return true;
  }

  leave(member: Member): void {
    const room = this.#rooms.get(member.room);
    if (room?.members.delete(member) && room.members.size === 0) this.#rooms.delete(member.room);
  }

  deliver(name: string, payload: Buffer): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const startedAtMs = performance.now();
    const allowedBytes = this.#allowedBytes(room);
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

  /** Bytes that one session may queue: its own bound, or its share of the room's once that is exceeded. */
  #allowedBytes({ members, queuedBytes }: Room): number {
    const { outboundBytesMax, outboundTotalBytesMax } = this.#options;
    if (queuedBytes <= outboundTotalBytesMax) return outboundBytesMax;
    return Math.min(outboundBytesMax, outboundTotalBytesMax / members.size);
  }
}

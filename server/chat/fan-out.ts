/**
 * Hot path. The fan-out with room logs; the interface `FanOut` is in chat.ts. It moves every member of a room
 * to the end of the room's log, in rounds. One write carries all that was appended since the member's last
 * one. A round yields to the event loop every few milliseconds; members that come late in it also receive
 * what was appended during it.
 */
import { performance } from 'node:perf_hooks';
import { size, time } from '#host/units.ts';
import { closeCode } from '#protocol';
import type { Metrics } from '../ops/metrics.ts';
import { group, integer, limit, type ValuesOf } from '../settings.ts';
import { BeforeMemory } from './before-memory.ts';
import type { FanOut, NoPlace, roomSettings } from './chat.ts';
import { CursorRoom } from './cursor-room.ts';
import { LogMemory } from './log-memory.ts';
import type { Member } from './member.ts';
import type { Segment } from './room-log.ts';

const mebibyte = 1024 ** 2;
const logBytesHelp = 'bytes of all room logs; beyond it the sessions furthest behind their room are evicted';

/** The defaults are chosen, not measured. */
export const cursorFanOutSettings = group('Fan-out with room logs', {
  segmentBytes: integer(4096, 64 * mebibyte, 256 * 1024, 'largest segment of a room log', size),
  segmentsBehindMax: limit(1, 100_000, 32, 'segments that a session may be behind before it is evicted'),
  logBytesMax: limit(4096, 64 * 1024 * mebibyte, 128 * mebibyte, logBytesHelp, size),
  fanOutSliceMs: integer(1, 1000, 4, 'longest stretch of fan-out before the event loop gets its turn', time),
  fanOutIntervalMs: integer(0, 10_000, 0, 'least time between two rounds of a room; saves CPU', time),
});

type CursorFanOutOptions = ValuesOf<typeof cursorFanOutSettings | typeof roomSettings>;

/** Frames that a member receives before those of the log: its position, and what it missed. */
export type FramesBefore = {
  /** Whole frames, one behind the other. */
  readonly pieces: readonly Buffer[];
  /** How many of them are messages. */
  readonly messages: number;
};

/** Members served between two readings of the clock: about 0.2 ms at 6 µs a write. */
const membersPerClockRead = 32;

const noBytes = Buffer.alloc(0);

export class CursorFanOut implements FanOut {
  readonly #options: CursorFanOutOptions;
  readonly #metrics: Metrics;
  readonly #rooms = new Map<string, CursorRoom>();
  readonly #memory: LogMemory;
  /** Members that were parted from their rooms, until they leave. */
  readonly #parted = new Map<Member, CursorRoom>();
  readonly #before: BeforeMemory;
  /** Rooms with something to send, oldest first. */
  readonly #queue: CursorRoom[] = [];
  #scheduled = false;
  readonly #run = () => this.#serve();

  /** The last piece cut from a segment: members at the same cursor share one view of it. */
  #view: Buffer = noBytes;
  #viewSegment: Segment | undefined = undefined;
  #viewOffset = 0;

  #batchFrames = 0;
  #batchBytes = 0;
  #batchWrites = 0;
  #batchPartialWrites = 0;

  constructor(options: CursorFanOutOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
    this.#memory = new LogMemory(options.segmentBytes, options.logBytesMax);
    this.#before = new BeforeMemory(options.logBytesMax);
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  get full(): boolean {
    return this.#memory.exceeded;
  }

  /** Bytes of all room logs that are being filled, or that a session has still to read. */
  get logBytes(): number {
    return this.#memory.liveBytes;
  }

  /** `before` is asked once, and only where there is a place. */
  join(member: Member, before?: () => FramesBefore): NoPlace | undefined {
    if (before && !this.#before.fits) return 'missed_bytes';
    let room = this.#rooms.get(member.room);
    if (room === undefined) {
      if (this.#rooms.size >= this.#options.roomsMax) return 'rooms';
      room = new CursorRoom(this.#memory);
      this.#rooms.set(member.room, room);
    }
    room.join(member);
    if (before) this.#writeBefore(member, before());
    return undefined;
  }

  leave(member: Member): void {
    const room = this.#roomOf(member);
    if (room === undefined) return;
    room.leave(member);
    const wasParted = this.#parted.delete(member);
    if (room.members.length > 0) return;
    if (!wasParted) this.#rooms.delete(member.room);
    room.log.close();
  }

  /**
   * The members of these rooms receive nothing that is delivered later, only what lies in their logs already.
   * Who joins such a room after that is in a new one. Returns the names of the rooms.
   */
  part(affects: (room: string) => boolean): string[] {
    const parted = [...this.#rooms].filter(([name]) => affects(name));
    for (const [name, room] of parted) {
      this.#rooms.delete(name);
      for (const member of room.members) this.#parted.set(member, room);
    }
    return parted.map(([name]) => name);
  }

  deliver(name: string, payload: Buffer): void {
    const room = this.#rooms.get(name);
    if (room?.append(payload, performance.now())) this.#enqueue(room);
    if (this.#memory.mustReclaim) this.#reclaim();
  }

  flush(member: Member): boolean {
    this.#catchUp(member);
    this.#count();
    return !member.writing;
  }

  /** Queues a room for a round: at once, or when the minimum interval since its last round is over. */
  #enqueue(room: CursorRoom): void {
    const waitMs = room.roundAtMs + this.#options.fanOutIntervalMs - performance.now();
    if (waitMs > 0) return void setTimeout(() => this.#enqueue(room), waitMs);
    this.#queue.push(room);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** One slice: rooms in turn, each from where its round stopped, until the time of the slice is over. */
  #serve(): void {
    this.#scheduled = false;
    const endAtMs = performance.now() + this.#options.fanOutSliceMs;
    let nowMs = 0;
    while (this.#queue.length > 0 && nowMs < endAtMs) {
      const room = this.#queue[0]!;
      nowMs = this.#serveRoom(room, endAtMs);
      if (room.next < room.members.length) break;
      this.#queue.shift();
      this.#endRound(room, nowMs);
    }
    this.#count();
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Serves a room until its round or the slice ends; returns the last reading of the clock. */
  #serveRoom(room: CursorRoom, endAtMs: number): number {
    const { members } = room;
    let nowMs = performance.now();
    if (room.next === 0) room.startRound(nowMs);
    while (room.next < members.length) {
      const stop = Math.min(room.next + membersPerClockRead, members.length);
      // An eviction only begins a close: the list changes with the socket's event, never within this loop.
      for (; room.next < stop; room.next++) this.#advance(members[room.next]!, room);
      nowMs = performance.now();
      if (nowMs >= endAtMs) break;
    }
    return nowMs;
  }

  #endRound(room: CursorRoom, nowMs: number): void {
    this.#metrics.fanOutSeconds.observe((nowMs - room.oldestAtMs) / 1000);
    if (room.endRound()) this.#enqueue(room);
  }

  #advance(member: Member, room: CursorRoom): void {
    if (!member.connection.open) return;
    if (!member.writing) this.#catchUp(member);
    else if (room.log.tail.index - member.segment!.index > this.#options.segmentsBehindMax)
      this.#evict(member, room);
  }

  #evict(member: Member, room: CursorRoom): void {
    this.#metrics.evictions.inc({ reason: 'slow_consumer' });
    room.forget(member);
    member.connection.close(closeCode.slowConsumer, 'too far behind');
  }

  /** The rare path: all logs together exceed their bound, so each room keeps no more than an equal share. */
  #reclaim(): void {
    const { shareBytes, segmentBytes } = this.#memory;
    for (const room of this.#rooms.values()) {
      if (room.log.bytes <= shareBytes) continue;
      for (const member of room.behind(shareBytes)) if (member.connection.open) this.#evict(member, room);
      room.shrink(segmentBytes);
    }
    this.#memory.reclaimed();
  }

  /** Writes from the cursor to the end of the log, a segment at a time, until the kernel takes no more. */
  #catchUp(member: Member): void {
    while (!member.writing && member.segment !== undefined) {
      const segment = member.segment;
      if (member.offset < segment.end) this.#write(member, segment);
      else if (segment.next !== undefined) {
        member.segment = segment.next;
        member.offset = 0;
      } else return;
    }
  }

  #write(member: Member, segment: Segment): void {
    const end = segment.end;
    if (
      this.#viewSegment !== segment ||
      this.#viewOffset !== member.offset ||
      this.#view.length !== end - member.offset
    ) {
      this.#view = segment.bytes.subarray(member.offset, end);
      this.#viewSegment = segment;
      this.#viewOffset = member.offset;
    }
    const framesEnd = segment.framesBefore + segment.frames;
    this.#batchFrames += framesEnd - member.framesSeen;
    this.#batchBytes += end - member.offset;
    this.#batchWrites++;
    member.framesSeen = framesEnd;
    member.offset = end;
    member.connection.write(this.#view);
    if (member.connection.bufferedBytes > 0) this.#skipUntilWritten(member);
  }

  /** The rare path: the kernel's buffer is full, so the member is skipped until it has drained. */
  #skipUntilWritten(member: Member, written?: () => void): void {
    const { connection } = member;
    this.#batchPartialWrites++;
    const room = this.#roomOf(member)!;
    room.wait(member);
    connection.whenWritten((error) => {
      room.endWait(member);
      written?.();
      // A slow reader's pong waits behind all that it has still to read; that it reads is a sign of life.
      connection.alive = true;
      if (error || !connection.open) return;
      this.#catchUp(member);
      this.#count();
    });
  }

  #roomOf(member: Member): CursorRoom | undefined {
    return this.#parted.get(member) ?? this.#rooms.get(member.room);
  }

  /** The rare path: somebody resumes. It is skipped until the kernel has taken what it missed. */
  #writeBefore(member: Member, { pieces, messages }: FramesBefore): void {
    for (const piece of pieces) {
      member.connection.write(piece);
      this.#batchBytes += piece.length;
      this.#batchWrites++;
    }
    this.#batchFrames += messages;
    if (member.connection.bufferedBytes > 0) this.#skipUntilWritten(member, this.#before.keep(pieces));
    this.#count();
  }

  /** Raises the counters once per slice, not once per recipient. */
  #count(): void {
    if (this.#batchWrites === 0) return;
    this.#metrics.deliveries.inc(this.#batchFrames);
    this.#metrics.deliveredBytes.inc(this.#batchBytes);
    this.#metrics.writes.inc(this.#batchWrites);
    this.#metrics.partialWrites.inc(this.#batchPartialWrites);
    this.#batchFrames = 0;
    this.#batchBytes = 0;
    this.#batchWrites = 0;
    this.#batchPartialWrites = 0;
    this.#view = noBytes; // A view that is kept would keep its segment alive.
    this.#viewSegment = undefined;
  }
}

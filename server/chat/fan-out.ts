/**
 * Hot path. Moves every session of a room to the end of the room's log, in rounds: one write per session carries all
 * that piled up since its last one. A round yields to the event loop every few milliseconds, and sessions that are
 * late in it already get what arrived meanwhile.
 */
import { performance } from 'node:perf_hooks';
import { closeCode } from '#protocol';
import type { Session } from '../gateway/session.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { FanOut } from './chat.ts';
import { RoomLog, type Segment } from './room-log.ts';

export type CursorFanOutOptions = {
  readonly segmentBytes: number;
  readonly segmentsBehindMax: number;
  readonly logBytesMax: number;
  readonly fanOutSliceMs: number;
  readonly fanOutIntervalMs: number;
  readonly roomsMax: number;
};

/** How many sessions are served between two looks at the clock: about 0.2 ms at 6 µs a write. */
const sessionsPerClockRead = 32;

const noBytes = Buffer.alloc(0);

type Room = {
  readonly log: RoomLog;
  readonly sessions: Session[];
  /** The session that the present round serves next. */
  next: number;
  /** Waiting for a round, or in one. */
  dirty: boolean;
  /** When the oldest message that the present (or next) round carries was appended. */
  oldestAtMs: number;
  /** Oldest message that came while a round was going on, which that round may not carry to all; 0: none. */
  oldestNextAtMs: number;
  /** When the last round began, for the minimum interval. */
  roundAtMs: number;
};

export class CursorFanOut implements FanOut {
  readonly #options: CursorFanOutOptions;
  readonly #metrics: Metrics;
  readonly #rooms = new Map<string, Room>();
  /** Rooms with something to send, in the order in which they came to have it. */
  readonly #queue: Room[] = [];
  #scheduled = false;
  readonly #run = () => this.#serve();

  /** The last piece cut from a segment: sessions that stand together share one view of it. */
  #view: Buffer = noBytes;
  #viewSegment: Segment | undefined = undefined;
  #viewOffset = 0;

  #batchFrames = 0;
  #batchBytes = 0;
  #batchWrites = 0;

  constructor(options: CursorFanOutOptions, metrics: Metrics) {
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
      room = emptyRoom(this.#options.segmentBytes);
      this.#rooms.set(session.room, room);
    }
    session.segment = room.log.tail;
    session.offset = room.log.tail.end;
    session.framesSeen = room.log.frames;
    session.slot = room.sessions.length;
    room.sessions.push(session);
    return true;
  }

  leave(session: Session): void {
    const room = this.#rooms.get(session.room);
    if (room === undefined || session.slot === -1) return;
    let free = session.slot;
    session.slot = -1;
    session.segment = undefined;
    // The last of all must not move to where the round that is going on has been: it would miss its turn. So the last
    // one served takes the place first, and leaves his.
    if (free < room.next) {
      room.next--;
      free = move(room, room.next, free);
    }
    move(room, room.sessions.length - 1, free);
    room.sessions.pop();
    if (room.sessions.length === 0) this.#rooms.delete(session.room);
  }

  deliver(name: string, payload: Buffer): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    room.log.append(payload);
    if (!room.dirty) {
      room.dirty = true;
      room.oldestAtMs = performance.now();
      this.#enqueue(room);
    } else if (room.next > 0 && room.oldestNextAtMs === 0) {
      room.oldestNextAtMs = performance.now();
    }
  }

  finish(session: Session): boolean {
    this.#flush(session);
    this.#count();
    return !session.writing;
  }

  /** Puts a room in line for a round: at once, or when the minimum interval since its last one is over. */
  #enqueue(room: Room): void {
    const waitMs = room.roundAtMs + this.#options.fanOutIntervalMs - performance.now();
    if (this.#options.fanOutIntervalMs > 0 && waitMs > 0) {
      setTimeout(() => {
        this.#queue.push(room);
        this.#schedule();
      }, waitMs);
      return;
    }
    this.#queue.push(room);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** One slice: rooms in turn, each from where its round stopped, until the slice is used up. */
  #serve(): void {
    this.#scheduled = false;
    const endAtMs = performance.now() + this.#options.fanOutSliceMs;
    let nowMs = 0;
    while (this.#queue.length > 0 && nowMs < endAtMs) {
      const room = this.#queue[0]!;
      nowMs = this.#serveRoom(room, endAtMs);
      if (room.next < room.sessions.length) break;
      this.#queue.shift();
      this.#endRound(room, nowMs);
    }
    this.#count();
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Serves a room until its round or the slice ends; returns the time it read last. */
  #serveRoom(room: Room, endAtMs: number): number {
    const { sessions } = room;
    let nowMs = performance.now();
    if (room.next === 0) room.roundAtMs = nowMs;
    while (room.next < sessions.length) {
      const stop = Math.min(room.next + sessionsPerClockRead, sessions.length);
      // An eviction only begins a close; the list changes when the socket's own event comes, never within this loop.
      for (; room.next < stop; room.next++) this.#advance(sessions[room.next]!, room.log.tail);
      nowMs = performance.now();
      if (nowMs >= endAtMs) break;
    }
    return nowMs;
  }

  #endRound(room: Room, nowMs: number): void {
    this.#metrics.fanOutSeconds.observe((nowMs - room.oldestAtMs) / 1000);
    room.next = 0;
    room.dirty = room.oldestNextAtMs !== 0;
    if (!room.dirty) return;
    room.oldestAtMs = room.oldestNextAtMs;
    room.oldestNextAtMs = 0;
    this.#enqueue(room);
  }

  #advance(session: Session, tail: Segment): void {
    if (!session.open) return;
    if (!session.writing) this.#flush(session);
    else if (tail.index - session.segment!.index > this.#segmentsAllowed()) this.#evict(session);
  }

  /** One stalled reader keeps a room's segments alive, so many rooms share what a few may have each; one is always free. */
  #segmentsAllowed(): number {
    const { segmentBytes, segmentsBehindMax, logBytesMax } = this.#options;
    return Math.max(1, Math.min(segmentsBehindMax, logBytesMax / (segmentBytes * this.#rooms.size)));
  }

  /** Writes from the cursor to the end of the log, a segment at a time, until the kernel takes no more. */
  #flush(session: Session): void {
    while (!session.writing && session.segment !== undefined) {
      const segment = session.segment;
      if (session.offset < segment.end) this.#write(session, segment);
      else if (segment.next !== undefined) {
        session.segment = segment.next;
        session.offset = 0;
      } else return;
    }
  }

  #write(session: Session, segment: Segment): void {
    const end = segment.end;
    if (
      this.#viewSegment !== segment ||
      this.#viewOffset !== session.offset ||
      this.#view.length !== end - session.offset
    ) {
      this.#view = segment.bytes.subarray(session.offset, end);
      this.#viewSegment = segment;
      this.#viewOffset = session.offset;
    }
    const framesEnd = segment.framesBefore + segment.frames;
    this.#batchFrames += framesEnd - session.framesSeen;
    this.#batchBytes += end - session.offset;
    this.#batchWrites++;
    session.framesSeen = framesEnd;
    session.offset = end;
    session.socket.write(this.#view);
    if (session.socket.writableLength > 0) this.#await(session);
  }

  /** The rare path: the kernel's buffer is full, so the session sits out until it has drained. */
  #await(session: Session): void {
    session.writing = true;
    session.whenWritten((error) => {
      session.writing = false;
      // A slow reader's pong waits behind all that it has still to read; that it reads is as good a sign of life.
      session.alive = true;
      if (error || !session.open) return;
      this.#flush(session);
      this.#count();
    });
  }

  #evict(session: Session): void {
    this.#metrics.evictions.inc({ reason: 'slow_consumer' });
    session.close(closeCode.slowConsumer, 'too far behind');
  }

  /** Counters are raised once per slice, not per recipient. */
  #count(): void {
    if (this.#batchWrites === 0) return;
    this.#metrics.deliveries.inc(this.#batchFrames);
    this.#metrics.deliveredBytes.inc(this.#batchBytes);
    this.#metrics.writes.inc(this.#batchWrites);
    this.#batchFrames = 0;
    this.#batchBytes = 0;
    this.#batchWrites = 0;
    this.#view = noBytes; // Kept on, it would keep its segment alive.
    this.#viewSegment = undefined;
  }
}

/** Moves the session of one place to another and returns the place that it left. */
function move(room: Room, from: number, to: number): number {
  if (from !== to) {
    const session = room.sessions[from]!;
    room.sessions[to] = session;
    session.slot = to;
  }
  return from;
}

function emptyRoom(segmentBytes: number): Room {
  return {
    log: new RoomLog(segmentBytes),
    sessions: [],
    next: 0,
    dirty: false,
    oldestAtMs: 0,
    oldestNextAtMs: 0,
    roundAtMs: Number.NEGATIVE_INFINITY,
  };
}

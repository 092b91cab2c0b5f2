/**
 * Hot path. The frames of one room, in order, in shared segments. A message is framed and copied once.
 * Readers hold cursors into segments; garbage collection frees a segment that no cursor can reach.
 */
import { frameHeaderBytes, writeTextFrameHeader } from './frame.ts';
import { type LogMemory, smallSegmentBytes } from './log-memory.ts';

/** A fixed buffer of whole frames. `end` and `frames` only grow; `next` is set once it is full. */
export class Segment {
  readonly bytes: Buffer;
  /** Position in the log, from 0. */
  readonly index: number;
  /** Frames appended to the log before this segment. */
  readonly framesBefore: number;
  end = 0;
  /** Frames in this segment. */
  frames = 0;
  /** Sessions that wait in this segment for the kernel to take bytes. */
  waiting = 0;
  next: Segment | undefined = undefined;

  constructor(capacityBytes: number, index: number, framesBefore: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacityBytes);
    this.index = index;
    this.framesBefore = framesBefore;
  }
}

export class RoomLog {
  /** The segment that is being filled. */
  tail: Segment;
  /** Bytes from the oldest segment that a session waits in, to the end. */
  bytes = 0;
  /** That oldest segment, or the tail. */
  #head: Segment;
  readonly #memory: LogMemory;
  #closed = false;

  /** `memory` counts the bytes of all logs, and bounds a segment; only a single larger frame exceeds that. */
  constructor(memory: LogMemory) {
    this.#memory = memory;
    memory.rooms++;
    this.tail = new Segment(Math.min(smallSegmentBytes, memory.segmentBytes), 0, 0);
    this.#head = this.tail;
    this.#count(this.tail.bytes.length);
  }

  /** Frames appended so far. */
  get frames(): number {
    return this.tail.framesBefore + this.tail.frames;
  }

  /** Frames a payload of UTF-8 text and appends it; the payload is copied. */
  append(payload: Uint8Array): void {
    const frameBytes = frameHeaderBytes(payload.length) + payload.length;
    let tail = this.tail;
    if (tail.end + frameBytes > tail.bytes.length) tail = this.#grow(frameBytes);
    const payloadOffset = writeTextFrameHeader(tail.bytes, tail.end, payload.length);
    tail.bytes.set(payload, payloadOffset);
    tail.end = payloadOffset + payload.length;
    tail.frames++;
  }

  /** A session waits in this segment, which keeps it and all later ones. */
  hold(segment: Segment): void {
    segment.waiting++;
    // The session was further behind than any that waited until now.
    for (let older: Segment = segment; older.index < this.#head.index; older = older.next!)
      this.#count(older.bytes.length);
    if (segment.index < this.#head.index) this.#head = segment;
  }

  /** The session waits no more. */
  letGo(segment: Segment): void {
    segment.waiting--;
    this.#forget();
  }

  /** The oldest segment that, with all later ones, has no more than so many bytes; at least the tail. */
  segmentOfLast(bytes: number): Segment {
    let segment = this.#head;
    for (let rest = this.bytes; segment.next && rest > bytes; segment = segment.next)
      rest -= segment.bytes.length;
    return segment;
  }

  /** Goes on in a small segment, although the last one is not full. */
  renewTail(): Segment {
    return this.#follow(Math.min(smallSegmentBytes, this.#memory.segmentBytes));
  }

  /** Call when the room is given up: what still happens to this log counts no more. */
  close(): void {
    this.#memory.rooms--;
    this.#memory.liveBytes -= this.bytes;
    this.#closed = true;
  }

  /** Segments double up to the maximum, so that quiet rooms stay cheap. */
  #grow(frameBytes: number): Segment {
    return this.#follow(
      Math.max(frameBytes, Math.min(this.tail.bytes.length * 2, this.#memory.segmentBytes)),
    );
  }

  #follow(capacityBytes: number): Segment {
    const next = new Segment(capacityBytes, this.tail.index + 1, this.frames);
    this.tail.next = next;
    this.tail = next;
    this.#count(capacityBytes);
    this.#forget();
    return next;
  }

  /** Takes the segments in which no session waits from the count, oldest first. */
  #forget(): void {
    while (this.#head.waiting === 0 && this.#head.next) {
      this.#count(-this.#head.bytes.length);
      this.#head = this.#head.next;
    }
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    if (!this.#closed) this.#memory.liveBytes += bytes;
  }
}

/**
 * Hot path. The frames of one room, in order, in shared segments. A message is framed and copied once.
 * Readers hold cursors into segments; garbage collection frees a segment that no cursor can reach.
 */
import { frameHeaderBytes, writeTextFrameHeader } from './frame.ts';

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
  next: Segment | undefined = undefined;

  constructor(capacityBytes: number, index: number, framesBefore: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacityBytes);
    this.index = index;
    this.framesBefore = framesBefore;
  }
}

/** Later segments double up to the maximum, so that ten thousand quiet rooms stay cheap. */
const firstSegmentBytes = 4096;

export class RoomLog {
  /** The segment that is being filled. */
  tail: Segment;
  readonly #segmentBytesMax: number;

  /** `segmentBytesMax` bounds a segment; only a single larger frame gets a segment of its own size. */
  constructor(segmentBytesMax: number) {
    this.#segmentBytesMax = segmentBytesMax;
    this.tail = new Segment(Math.min(firstSegmentBytes, segmentBytesMax), 0, 0);
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

  #grow(frameBytes: number): Segment {
    const full = this.tail;
    const capacityBytes = Math.max(frameBytes, Math.min(full.bytes.length * 2, this.#segmentBytesMax));
    full.next = new Segment(capacityBytes, full.index + 1, this.frames);
    this.tail = full.next;
    return full.next;
  }
}

/**
 * The verified stream of one room in this worker: frames of one size, in the order in which the first
 * recipient received them. All other recipients must receive the same bytes. So most input is checked by
 * comparing it with this stream, many frames at a time: that finds every changed byte at the speed of memory.
 * Other input (another order, a gap, a control frame, a corrupt byte) is read frame by frame. Hot path.
 */
import type { Stamp } from '../model/stamp.ts';

export type ReferenceSettings = {
  /** Bound of the memory for frames, in bytes. */
  bytesMax: number;
  /** Called before all frames before `frame` are dropped: no recipient may follow the reference there. */
  forget(frame: number): void;
};

export class Reference {
  /** Bytes of each frame as this server writes it, with the header; 0 until the first frame. */
  frameBytes = 0;
  /** Offset of the stamp in a frame. */
  stampAt = 0;
  /** Frames [oldest, next) are held, at `(frame & mask) * frameBytes`. */
  oldest = 0;
  next = 0;
  mask = 0;
  bytes: Buffer = Buffer.alloc(0);
  /** By `frame & mask`: message number, due and send time in µs since the schedule began (mod 2^32), slot. */
  numbers = new Int32Array(0);
  dueUs = new Int32Array(0);
  sentUs = new Int32Array(0);
  slots = new Int32Array(0);
  /** By `number & mask`: a frame that may hold this number; `numbers` says whether it does. */
  #frameOf = new Int32Array(0);
  readonly #settings: ReferenceSettings;

  constructor(settings: ReferenceSettings) {
    this.#settings = settings;
  }

  /** Forgets all frames; their memory is kept. */
  clear(): void {
    this.oldest = 0;
    this.next = 0;
    this.#frameOf.fill(-1);
  }

  /** The frame with this message number, or −1. */
  find(number: number): number {
    if (this.next === 0) return -1;
    const frame = this.#frameOf[number & this.mask]!;
    return frame >= this.oldest && this.numbers[frame & this.mask] === number ? frame : -1;
  }

  /**
   * Appends a verified frame. False if it cannot be held: its size differs from the first one, or it is older
   * than all held frames (a late message must not push out the frames that the recipients need).
   */
  append(bytes: Buffer, at: number, end: number, stampAt: number, stamp: Stamp, slot: number): boolean {
    if (this.frameBytes === 0) this.#allocate(end - at, stampAt);
    if (end - at !== this.frameBytes || stampAt !== this.stampAt || this.mask === 0) return false;
    if (this.oldest > 0 && stamp.number < this.numbers[this.oldest & this.mask]!) return false;
    if (this.next - this.oldest > this.mask) {
      // A quarter at a time, because each time all recipients are looked through.
      const oldest = this.oldest + ((this.mask + 1) >> 2);
      this.#settings.forget(oldest);
      this.oldest = oldest;
    }
    const index = this.next & this.mask;
    bytes.copy(this.bytes, index * this.frameBytes, at, end);
    this.numbers[index] = stamp.number;
    this.dueUs[index] = stamp.dueUs | 0;
    this.sentUs[index] = (stamp.dueUs + stamp.lagUs) | 0;
    this.slots[index] = slot;
    this.#frameOf[stamp.number & this.mask] = this.next;
    this.next++;
    return true;
  }

  #allocate(frameBytes: number, stampAt: number): void {
    const frames = 2 ** Math.floor(Math.log2(this.#settings.bytesMax / frameBytes));
    this.frameBytes = frameBytes;
    this.stampAt = stampAt;
    if (frames < 4) return;
    this.mask = frames - 1;
    this.bytes = Buffer.allocUnsafeSlow(frames * frameBytes);
    this.numbers = new Int32Array(frames);
    this.dueUs = new Int32Array(frames);
    this.sentUs = new Int32Array(frames);
    this.slots = new Int32Array(frames);
    this.#frameOf = new Int32Array(frames).fill(-1);
  }
}

/** How many of the first `size` bytes are equal, by binary search. At least one byte must differ. */
export function equalPrefix(a: Buffer, aAt: number, b: Buffer, bAt: number, size: number): number {
  let equal = 0;
  let differs = size;
  while (differs - equal > 1) {
    const middle = (equal + differs) >>> 1;
    if (isEqual(a, aAt + equal, b, bAt + equal, middle - equal)) equal = middle;
    else differs = middle;
  }
  return equal;
}

/** True if the two ranges hold the same bytes. */
export function isEqual(a: Buffer, aAt: number, b: Buffer, bAt: number, size: number): boolean {
  return a.compare(b, bAt, bAt + size, aAt, aAt + size) === 0;
}

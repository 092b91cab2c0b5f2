/** Hot path. The memory of all room logs of this process: what is in use, and how large a segment may be. */

/** The first segment of a room, and the smallest of all: ten thousand quiet rooms stay cheap with it. */
export const smallSegmentBytes = 4096;

/** Share of the bound that is left for the segments that are being filled, one for each room. */
const fillingShare = 1 / 4;

export class LogMemory {
  readonly #segmentBytesMax: number;
  readonly #bytesMax: number;
  #reclaimAtBytes = 0;
  /** Bytes of the segments that are being filled, or that a session has still to read. */
  liveBytes = 0;
  /** Rooms that have a log. */
  rooms = 0;

  constructor(segmentBytesMax: number, bytesMax = Number.POSITIVE_INFINITY) {
    this.#segmentBytesMax = segmentBytesMax;
    this.#bytesMax = bytesMax;
  }

  /** The bound; every room may have two small segments, whatever it is. */
  get bytesMax(): number {
    return Math.max(this.#bytesMax, 2 * smallSegmentBytes * this.rooms);
  }

  /** Largest new segment: it is smaller the more rooms there are. */
  get segmentBytes(): number {
    const equalShare = (this.bytesMax * fillingShare) / this.rooms;
    return Math.min(this.#segmentBytesMax, Math.max(smallSegmentBytes, equalShare));
  }

  /** Bytes that each room may keep while all of them together exceed the bound. */
  get shareBytes(): number {
    return (this.bytesMax * (1 - fillingShare)) / this.rooms;
  }

  /** True while all logs together exceed the bound. */
  get exceeded(): boolean {
    return this.liveBytes > this.bytesMax;
  }

  /** True when sessions should be evicted now: what could not be freed is not tried again at once. */
  get mustReclaim(): boolean {
    return this.liveBytes > this.#reclaimAtBytes && this.exceeded;
  }

  /** Call after the eviction. */
  reclaimed(): void {
    this.#reclaimAtBytes = this.liveBytes + this.#bytesMax / 64;
  }
}

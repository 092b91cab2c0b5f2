/** Which recipient has received which message: one bit each, for a room in this worker. Hot path. */

/** The outcome of one arrival of a message at a recipient. */
export const arrival = { inOrder: 0, duplicated: 1, reordered: 2 } as const;

/** Messages per block of bits. */
const blockMessages = 2048;
const blockShift = 11;
const wordsPerRow = blockMessages / 32;
const nothing = new Uint32Array(0);

export class RoomAudit {
  readonly senders: number;
  readonly #recipients: number;
  readonly #blocks: (Uint32Array | undefined)[] = [];
  /** The highest number that each recipient has received, −1 before the first. */
  readonly #highest: Int32Array;

  constructor(recipients: number, senders: number) {
    this.#recipients = recipients;
    this.senders = senders;
    this.#highest = new Int32Array(recipients).fill(-1);
  }

  /** Marks a message as received by a recipient. Returns one of `arrival`. */
  mark(recipient: number, number: number): number {
    const block = this.#blocks[number >>> blockShift] ?? this.#newBlock(number >>> blockShift);
    const word = recipient * wordsPerRow + ((number & (blockMessages - 1)) >>> 5);
    const bit = 1 << (number & 31);
    const bits = block[word]!;
    if ((bits & bit) !== 0) return arrival.duplicated;
    block[word] = bits | bit;
    if (number > this.#highest[recipient]!) {
      this.#highest[recipient] = number;
      return arrival.inOrder;
    }
    return this.#hasLater(recipient, number, this.#highest[recipient]!) ? arrival.reordered : arrival.inOrder;
  }

  /**
   * Marks the messages of frames [from, to) of a stream while each is new and in order. Returns the first
   * frame that is not, which is not marked, or `to`.
   */
  markRun(recipient: number, numbers: Int32Array, mask: number, from: number, to: number): number {
    const row = recipient * wordsPerRow;
    let highest = this.#highest[recipient]!;
    let index = -1;
    let block: Uint32Array = nothing;
    let frame = from;
    for (; frame < to; frame++) {
      const number = numbers[frame & mask]!;
      if (number >>> blockShift !== index) {
        index = number >>> blockShift;
        block = this.#blocks[index] ?? this.#newBlock(index);
      }
      const word = row + ((number & (blockMessages - 1)) >>> 5);
      const bit = 1 << (number & 31);
      const bits = block[word]!;
      if ((bits & bit) !== 0) break;
      if (number > highest) highest = number;
      else if (highest - number >= this.senders && this.#hasLater(recipient, number, highest)) break;
      block[word] = bits | bit;
    }
    this.#highest[recipient] = highest;
    return frame;
  }

  /**
   * True if the recipient has already received a later message of the same sender. Senders take turns, so
   * their numbers are `senders` apart, and no state per recipient and sender is needed.
   */
  #hasLater(recipient: number, number: number, highest: number): boolean {
    for (let later = number + this.senders; later <= highest; later += this.senders)
      if (this.has(recipient, later)) return true;
    return false;
  }

  /** True if the recipient has received the message. */
  has(recipient: number, number: number): boolean {
    const block = this.#blocks[number >>> blockShift];
    if (block === undefined) return false;
    const word = recipient * wordsPerRow + ((number & (blockMessages - 1)) >>> 5);
    return (block[word]! & (1 << (number & 31))) !== 0;
  }

  /** The last message of a sender (counted from 0) that the recipient has received; −1 if there is none. */
  lastOf(recipient: number, sender: number): number {
    const highest = this.#highest[recipient]!;
    let number = highest - (highest % this.senders) + sender;
    if (number > highest) number -= this.senders;
    while (number >= 0 && !this.has(recipient, number)) number -= this.senders;
    return number < 0 ? -1 : number;
  }

  /** True if any recipient has received the message. */
  isHeard(number: number): boolean {
    for (let recipient = 0; recipient < this.#recipients; recipient++)
      if (this.has(recipient, number)) return true;
    return false;
  }

  #newBlock(index: number): Uint32Array {
    const block = new Uint32Array(this.#recipients * wordsPerRow);
    this.#blocks[index] = block;
    return block;
  }
}

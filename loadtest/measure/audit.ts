/** Who has received what: one bit per message and recipient, exact, for all recipients of a room in this worker. Hot path. */

/** What the arrival of one message at one recipient means. */
export const arrival = { inOrder: 0, duplicated: 1, reordered: 2 } as const;

/** Messages per block of bits. */
const blockMessages = 2048;
const blockShift = 11;
const wordsPerRow = blockMessages / 32;

/** Bytes that the bits of a room take for so many messages and recipients: whole blocks. */
export function auditBytes(messages: number, recipients: number): number {
  return Math.ceil(messages / blockMessages) * wordsPerRow * 4 * recipients;
}

export class RoomAudit {
  readonly #recipients: number;
  readonly #senders: number;
  readonly #blocks: (Uint32Array | undefined)[] = [];
  /** The highest number that each recipient has received, −1 before the first. */
  readonly #highest: Int32Array;

  constructor(recipients: number, senders: number) {
    this.#recipients = recipients;
    this.#senders = senders;
    this.#highest = new Int32Array(recipients).fill(-1);
  }

  /** Notes that a recipient has received a message, and says how: one of `arrival`. */
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
    return this.#heardLater(recipient, number) ? arrival.reordered : arrival.inOrder;
  }

  /**
   * True where the recipient has already received a later message of the same sender. Senders take turns, so those are
   * `senders` apart; no state per recipient and sender is needed.
   */
  #heardLater(recipient: number, number: number): boolean {
    const highest = this.#highest[recipient]!;
    for (let later = number + this.#senders; later <= highest; later += this.#senders)
      if (this.has(recipient, later)) return true;
    return false;
  }

  /** True where the recipient has received the message. */
  has(recipient: number, number: number): boolean {
    const block = this.#blocks[number >>> blockShift];
    if (block === undefined) return false;
    const word = recipient * wordsPerRow + ((number & (blockMessages - 1)) >>> 5);
    return (block[word]! & (1 << (number & 31))) !== 0;
  }

  #newBlock(index: number): Uint32Array {
    const block = new Uint32Array(this.#recipients * wordsPerRow);
    this.#blocks[index] = block;
    return block;
  }
}

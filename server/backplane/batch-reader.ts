/** Batches in a byte stream: each one follows its length, which takes four bytes. */
import { BatchError } from './batch.ts';

const lengthBytes = 4;

/** A batch behind its length, in one buffer: a copy costs less than two writes. */
export function withLength(batch: Buffer): Buffer {
  const piece = Buffer.allocUnsafe(lengthBytes + batch.length);
  piece.writeUInt32BE(batch.length, 0);
  batch.copy(piece, lengthBytes);
  return piece;
}

/** Reassembles batches from chunks. Each batch is a copy, so the buffer of a chunk may be used again. */
export class BatchReader {
  readonly #bytesMax: number;
  readonly #prefix = Buffer.alloc(lengthBytes);
  #prefixHave = 0;
  #batch: Buffer | undefined;
  #have = 0;

  /** `bytesMax`: the longest batch; a longer one is an error as soon as it is announced. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Visits every batch that this chunk completes. Throws a `BatchError` when one is too long. */
  read(chunk: Buffer, visit: (batch: Buffer) => void): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#batch === undefined) {
        const copied = chunk.copy(this.#prefix, this.#prefixHave, offset);
        offset += copied;
        this.#prefixHave += copied;
        if (this.#prefixHave < lengthBytes) return;
        const length = this.#prefix.readUInt32BE(0);
        if (length === 0 || length > this.#bytesMax) throw new BatchError(`a batch of ${length} bytes`);
        this.#prefixHave = 0;
        this.#have = 0;
        this.#batch = Buffer.allocUnsafe(length);
        continue;
      }
      const copied = chunk.copy(this.#batch, this.#have, offset);
      offset += copied;
      this.#have += copied;
      if (this.#have < this.#batch.length) return;
      const batch = this.#batch;
      this.#batch = undefined;
      visit(batch);
    }
  }
}

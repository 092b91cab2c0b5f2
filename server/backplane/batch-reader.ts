/** Envelopes in a byte stream: each after its length in four bytes. */
import { EnvelopeError } from './batch.ts';

const lengthBytes = 4;

/** An envelope behind its length, as one piece: a copy costs less than a write of two pieces. */
export function withLength(envelope: Buffer): Buffer {
  const piece = Buffer.allocUnsafe(lengthBytes + envelope.length);
  piece.writeUInt32BE(envelope.length, 0);
  envelope.copy(piece, lengthBytes);
  return piece;
}

/** Puts envelopes together from chunks as they come; each is a copy, so that a chunk may be read into again. */
export class EnvelopeReader {
  readonly #bytesMax: number;
  readonly #prefix = Buffer.alloc(lengthBytes);
  #prefixHave = 0;
  #envelope: Buffer | undefined;
  #have = 0;

  /** `bytesMax`: longest envelope; a longer one is not awaited but an error. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Visits every envelope that is complete with this chunk. Throws an `EnvelopeError` when one is too long. */
  read(chunk: Buffer, visit: (envelope: Buffer) => void): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#envelope === undefined) {
        const copied = chunk.copy(this.#prefix, this.#prefixHave, offset);
        offset += copied;
        this.#prefixHave += copied;
        if (this.#prefixHave < lengthBytes) return;
        this.#begin();
        continue;
      }
      const copied = chunk.copy(this.#envelope, this.#have, offset);
      offset += copied;
      this.#have += copied;
      if (this.#have < this.#envelope.length) return;
      const envelope = this.#envelope;
      this.#envelope = undefined;
      visit(envelope);
    }
  }

  #begin(): void {
    const length = this.#prefix.readUInt32BE(0);
    if (length === 0 || length > this.#bytesMax) throw new EnvelopeError(`an envelope of ${length} bytes`);
    this.#prefixHave = 0;
    this.#have = 0;
    this.#envelope = Buffer.allocUnsafe(length);
  }
}

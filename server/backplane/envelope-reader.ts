/** Envelopes in a byte stream: each after its length in four bytes. */
import { EnvelopeError } from './envelope.ts';

const lengthBytes = 4;

/** The length that goes before an envelope. */
export function envelopePrefix(envelope: Buffer): Buffer {
  const prefix = Buffer.allocUnsafe(lengthBytes);
  prefix.writeUInt32BE(envelope.length, 0);
  return prefix;
}

/** Puts envelopes together from chunks as they come; what lies in one chunk whole is not copied. */
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
      if (this.#envelope) {
        const copied = chunk.copy(this.#envelope, this.#have, offset);
        offset += copied;
        this.#have += copied;
        if (this.#have < this.#envelope.length) return;
        const envelope = this.#envelope;
        this.#envelope = undefined;
        visit(envelope);
        continue;
      }
      const copied = chunk.copy(this.#prefix, this.#prefixHave, offset);
      offset += copied;
      this.#prefixHave += copied;
      if (this.#prefixHave < lengthBytes) return;
      offset = this.#begin(chunk, offset, visit);
    }
  }

  #begin(chunk: Buffer, offset: number, visit: (envelope: Buffer) => void): number {
    const length = this.#prefix.readUInt32BE(0);
    if (length === 0 || length > this.#bytesMax) throw new EnvelopeError(`an envelope of ${length} bytes`);
    this.#prefixHave = 0;
    if (chunk.length - offset >= length) {
      visit(chunk.subarray(offset, offset + length));
      return offset + length;
    }
    this.#envelope = Buffer.allocUnsafe(length);
    this.#have = 0;
    return offset;
  }
}

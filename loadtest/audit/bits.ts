/** A set of small whole numbers, one bit each; it grows. Hot path. */

const bytesMin = 1024;

export class Bits {
  #bytes = new Uint8Array(bytesMin);

  has(index: number): boolean {
    const at = Math.floor(index / 8);
    return at < this.#bytes.length && (this.#bytes[at]! & (1 << (index & 7))) !== 0;
  }

  /** True if it was not there. */
  add(index: number): boolean {
    const at = Math.floor(index / 8);
    if (at >= this.#bytes.length) this.#grow(at + 1);
    const before = this.#bytes[at]!;
    this.#bytes[at] = before | (1 << (index & 7));
    return this.#bytes[at] !== before;
  }

  /** All bits: index i is in byte i / 8. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Adds all that these bytes hold. */
  merge(bytes: Uint8Array): void {
    if (bytes.length > this.#bytes.length) this.#grow(bytes.length);
    for (let at = 0; at < bytes.length; at++) this.#bytes[at]! |= bytes[at]!;
  }

  /** Calls back for each number in the set, the smallest first. */
  forEach(callback: (index: number) => void): void {
    for (let at = 0; at < this.#bytes.length; at++)
      for (let bit = 0, byte = this.#bytes[at]!; byte !== 0; bit++, byte >>= 1)
        if ((byte & 1) !== 0) callback(at * 8 + bit);
  }

  #grow(length: number): void {
    const bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

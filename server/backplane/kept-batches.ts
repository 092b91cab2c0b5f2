/**
 * Hot path. The memory of the batches of one log. They are copied into blocks that hold nothing else: a small
 * `Buffer.from` is a piece of the pool of Node, which stays as long as any of its pieces, so that a batch of
 * 164 bytes kept 528.
 */

/** As the pool of Node: each of many quiet partitions has a block that is not full. */
const blockBytes = 8192;
/** A larger batch has memory of its own: the rest of a block would be lost for it. */
const sharedBytesMax = blockBytes / 4;

export class KeptBatches {
  #block = Buffer.alloc(0);
  #end = 0;

  /** Returns a copy of the batch; its block is freed with the last batch in it. */
  copy(batch: Buffer): Buffer {
    if (batch.length > sharedBytesMax) {
      const own = Buffer.allocUnsafeSlow(batch.length);
      batch.copy(own);
      return own;
    }
    if (this.#end + batch.length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#end = 0;
    }
    const kept = this.#block.subarray(this.#end, this.#end + batch.length);
    this.#end += batch.copy(kept);
    return kept;
  }
}

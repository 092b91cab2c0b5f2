/** The memory of frames that were written to members who resume, and that the kernel has not taken yet. */

export class BeforeMemory {
  readonly #bytesMax: number;
  /** How many members wait for each piece: people of a room share them. */
  readonly #waiting = new Map<Buffer, number>();
  bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False while so much waits that nobody more may resume. */
  get fits(): boolean {
    return this.bytes < this.#bytesMax;
  }

  /** Counts pieces that wait. Returns the function to call when the kernel has taken them. */
  keep(pieces: readonly Buffer[]): () => void {
    for (const piece of pieces) {
      const waiting = this.#waiting.get(piece) ?? 0;
      if (waiting === 0) this.bytes += piece.length;
      this.#waiting.set(piece, waiting + 1);
    }
    return () => {
      for (const piece of pieces) {
        const waiting = this.#waiting.get(piece)! - 1;
        if (waiting > 0) this.#waiting.set(piece, waiting);
        else {
          this.#waiting.delete(piece);
          this.bytes -= piece.length;
        }
      }
    };
  }
}

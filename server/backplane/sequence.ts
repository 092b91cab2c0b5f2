/** Checks the sequence numbers of every publisher: the only way to notice a silent loss. */

/** Publishers are processes. More than this many are the result of restarts, and the oldest are forgotten. */
const publishersMax = 4096;

export class SequenceCheck {
  readonly #received = new Map<string, { last: number; subscription: number }>();
  #subscription = 0;

  /**
   * Judges one batch. `repeated`: received before, drop it. `gap`: batches before this one never came, but
   * deliver this one. The batches before the first one of a publisher were not meant for this process.
   */
  check(publisher: string, sequence: number): 'next' | 'repeated' | 'gap' {
    const received = this.#received.get(publisher);
    if (received === undefined) {
      this.#remember(publisher, sequence);
      return 'next';
    }
    if (sequence <= received.last) return 'repeated';
    const gap = sequence !== received.last + 1 && received.subscription === this.#subscription;
    received.last = sequence;
    received.subscription = this.#subscription;
    return gap ? 'gap' : 'next';
  }

  /**
   * Judges the number that a publisher sent last, as it tells a new subscriber, and goes on there. False:
   * batches are missing. True: none is, or this process never subscribed to it before.
   */
  resume(publisher: string, lastSent: number): boolean {
    const received = this.#received.get(publisher);
    this.#remember(publisher, Math.max(lastSent, received?.last ?? 0));
    return received === undefined || received.last >= lastSent;
  }

  /**
   * After a new subscription the first batch of every publisher may be further on than the last one received:
   * that gap was reported when the old subscription broke. A batch from before is still `repeated`.
   */
  resubscribed(): void {
    this.#subscription++;
  }

  /** For a publisher that said goodbye: it never publishes again under its id. */
  forget(publisher: string): void {
    this.#received.delete(publisher);
  }

  #remember(publisher: string, last: number): void {
    if (!this.#received.has(publisher) && this.#received.size >= publishersMax) {
      const [oldest] = this.#received.keys();
      this.#received.delete(oldest!);
    }
    this.#received.set(publisher, { last, subscription: this.#subscription });
  }
}

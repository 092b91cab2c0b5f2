/** Checks the sequence numbers of every publisher: the only way to notice a silent loss. */

/** Publishers are processes. More than this many are the result of restarts, and the oldest are forgotten. */
const publishersMax = 4096;

/** Batches that one publisher can make while a process is away: five days at 10,000 a second. Chosen. */
const jumpMax = 2 ** 32;
/** Batches that a publisher can have made before a process hears its first: 13 years at 10,000 a second. */
const firstMax = 2 ** 42;

export class SequenceCheck {
  readonly #received = new Map<string, { last: number; subscription: number }>();
  #subscription = 0;
  #isSettled = true;

  /**
   * Judges one batch. `repeated`: received before, drop it. `gap`: batches before this one never came, but
   * deliver this one. The batches before the first one of a publisher were not meant for this process.
   * `implausible`: no publisher can have come so far, drop it; it changes nothing for those that follow.
   */
  check(publisher: string, sequence: number): 'next' | 'repeated' | 'gap' | 'implausible' {
    const received = this.#received.get(publisher);
    if (sequence > (received === undefined ? firstMax : received.last + jumpMax)) return 'implausible';
    if (received === undefined) {
      this.#remember(publisher, sequence);
      return 'next';
    }
    if (sequence <= received.last) return 'repeated';
    const isExpected = received.subscription === this.#subscription || this.#isSettled;
    const gap = sequence !== received.last + 1 && isExpected;
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
    this.#isSettled = false;
  }

  /**
   * Every publisher that publishes where this process subscribes has been heard by now. One that comes later
   * was elsewhere, and what it published there since the subscription began is missing.
   */
  settle(): void {
    this.#isSettled = true;
  }

  /** For a publisher that said goodbye: whatever still comes under its id is `repeated`. */
  end(publisher: string): void {
    const received = this.#received.get(publisher);
    if (received) received.last = Number.MAX_SAFE_INTEGER;
  }

  #remember(publisher: string, last: number): void {
    if (!this.#received.has(publisher) && this.#received.size >= publishersMax) {
      const [oldest] = this.#received.keys();
      this.#received.delete(oldest!);
    }
    this.#received.set(publisher, { last, subscription: this.#subscription });
  }
}

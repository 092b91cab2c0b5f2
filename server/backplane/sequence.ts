/** Sequence numbers of every publisher heard, so that what is missing shows: the one way that a silent loss is noticed. */

/** `repeated`: heard before, to be dropped. `gap`: one or more before it never came; it is itself to be delivered. */
export type SequenceVerdict = 'next' | 'repeated' | 'gap';

type Heard = { last: number; subscription: number };

// Publishers are processes; more than this many in one run of a process are restarts, of which the oldest are forgotten.
const publishersMax = 4096;

export class SequenceCheck {
  #heard = new Map<string, Heard>();
  #subscription = 0;

  /** Judges one envelope. The first one from a publisher says where we came in: what was before was not for us. */
  check(publisher: string, sequence: number): SequenceVerdict {
    const heard = this.#heard.get(publisher);
    if (heard === undefined) {
      this.#remember(publisher, sequence);
      return 'next';
    }
    if (sequence <= heard.last) return 'repeated';
    const gap = sequence !== heard.last + 1 && heard.subscription === this.#subscription;
    heard.last = sequence;
    heard.subscription = this.#subscription;
    return gap ? 'gap' : 'next';
  }

  /**
   * For a publisher that tells a new listener what it sent last: true when we have heard all of it (or never listened to
   * it before), false when something is missing. Listening goes on from there.
   */
  resume(publisher: string, lastSent: number): boolean {
    const heard = this.#heard.get(publisher);
    this.#remember(publisher, Math.max(lastSent, heard?.last ?? 0));
    return heard === undefined || heard.last >= lastSent;
  }

  /**
   * After a new subscription the first envelope of every publisher may stand further on than the last one heard: that
   * loss was known and told when the old subscription broke. What was heard before is still not heard twice.
   */
  resubscribed(): void {
    this.#subscription++;
  }

  /** A publisher that said goodbye never speaks again under its name. */
  forget(publisher: string): void {
    this.#heard.delete(publisher);
  }

  #remember(publisher: string, last: number): void {
    if (!this.#heard.has(publisher) && this.#heard.size >= publishersMax) {
      const [oldest] = this.#heard.keys();
      this.#heard.delete(oldest!);
    }
    this.#heard.set(publisher, { last, subscription: this.#subscription });
  }
}

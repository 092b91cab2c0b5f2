/**
 * Hot path. Who subscribes to which channel. Whoever leaves is only marked: a subscription may have hundreds
 * of channels, and many people leave at once. Marked ones are dropped where a post meets them, and a few
 * channels are cleaned with each departure, so that those that get no posts do not grow.
 */

/** A subscription as far as the index knows it. */
export type Indexed = { readonly ended: boolean };

export class ChannelIndex<S extends Indexed> {
  readonly #channels = new Map<string, S[]>();
  #cleaning = this.#channels.entries();
  #places = 0;

  /** Places in lists, of those that ended too. */
  get places(): number {
    return this.#places;
  }

  /** Channels that have a list. */
  get size(): number {
    return this.#channels.size;
  }

  add(subscription: S, channels: Iterable<string>): void {
    for (const channel of channels) {
      const list = this.#channels.get(channel);
      if (list) list.push(subscription);
      else this.#channels.set(channel, [subscription]);
      this.#places++;
    }
  }

  /** Visits the subscriptions of some channels; one that has several of them is visited as often. */
  visit(channels: readonly string[], visitor: (subscription: S) => void): void {
    for (const channel of channels) {
      const list = this.#channels.get(channel);
      if (!list) continue;
      let kept = 0;
      for (const subscription of list) {
        if (subscription.ended) continue;
        list[kept++] = subscription;
        visitor(subscription);
      }
      this.#cut(channel, list, kept);
    }
  }

  /**
   * A subscription with so many channels has ended: looks at twice as many places, so that few are in vain.
   */
  left(channels: number): void {
    let budget = 2 * channels;
    while (budget > 0 && this.#channels.size > 0) {
      let next = this.#cleaning.next();
      if (next.done) {
        this.#cleaning = this.#channels.entries();
        next = this.#cleaning.next();
      }
      const [channel, list] = next.value!;
      budget -= list.length + 1;
      let kept = 0;
      for (const subscription of list) if (!subscription.ended) list[kept++] = subscription;
      this.#cut(channel, list, kept);
    }
  }

  #cut(channel: string, list: S[], kept: number): void {
    this.#places -= list.length - kept;
    list.length = kept;
    if (kept === 0) this.#channels.delete(channel);
  }
}

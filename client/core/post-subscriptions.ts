/** What this person is subscribed to, by menu. It outlives a connection, and each post comes once. */
import { encodeSubscribe, type Post, type Subscribe, type SubscribeAck } from '#protocol';
import type { Clock } from './clock.ts';

/** The client ended, or the login, before the server answered. */
export type Lost = { readonly result: 'lost'; readonly detail?: string };

/** A subscription that the server has taken, and the last post that came. */
export type HeldSubscription = Omit<Subscribe, 'lastPostId'> & { readonly lastPostId: number };

/** What is told; `again`: nobody asked just now, it goes on after a reconnect, a reload or a refusal. */
export type SubscriptionEvents = {
  readonly onPost: (post: Post) => void;
  readonly onAnswer: (ack: SubscribeAck, again: boolean) => void;
};

type Asked = {
  readonly subscribe: Subscribe;
  readonly done: (ack: SubscribeAck | Lost) => void;
};

/** One menu. A server answers one frame after the other, so one is open at a time. */
type Entry = {
  held: HeldSubscription | undefined;
  asked: Asked | undefined;
  /** Whose frame has no answer on this connection. */
  open: 'held' | 'asked' | undefined;
  cancelTimer: (() => void) | undefined;
  busyMs: number;
};

/** A server that is busy is asked again after so long, then after twice that. Chosen, not measured. */
const busyMsMin = 1_000;
const busyMsMax = 30_000;

export class PostSubscriptions {
  readonly #clock: Clock;
  readonly #send: (text: string) => boolean;
  readonly #events: SubscriptionEvents;
  readonly #menus = new Map<string, Entry>();

  /** `send` is false while nothing can be sent. `onPost` gets each post once, in the order of their ids. */
  constructor(clock: Clock, send: (text: string) => boolean, events: SubscriptionEvents) {
    this.#clock = clock;
    this.#send = send;
    this.#events = events;
  }

  get all(): readonly HeldSubscription[] {
    return [...this.#menus.values()].flatMap(({ held }) => held ?? []);
  }

  /** Goes on with subscriptions of an earlier page, from the next login on. */
  restore(subscriptions: readonly HeldSubscription[]): void {
    for (const held of subscriptions) this.#entry(held.menu).held = { ...held };
  }

  /**
   * Replaces the subscription in a menu once the server has taken it; without channels it ends. The posts
   * after `lastPostId` come again then. What is refused leaves the subscription of before.
   */
  subscribe(subscribe: Subscribe): Promise<SubscribeAck | Lost> {
    const { menu } = subscribe;
    const entry = this.#entry(menu);
    if (entry.asked)
      return Promise.resolve({ menu, result: 'busy', detail: 'wait for the answer to the one before' });
    return new Promise((done) => {
      entry.asked = { subscribe, done };
      this.#sendNext(entry);
    });
  }

  answered(ack: SubscribeAck): void {
    const entry = this.#menus.get(ack.menu);
    if (!entry?.open) return;
    const { open, asked } = entry;
    entry.open = undefined;
    if (open === 'asked') entry.asked = undefined;
    if (ack.result === 'ok') {
      entry.busyMs = busyMsMin;
      if (open === 'asked') entry.held = heldOf(asked!.subscribe);
    } else if (open === 'held' && ack.result !== 'busy') entry.held = undefined;
    // After a refusal it is open whether the subscription of before goes on: it is asked for again.
    if (!entry.held && !entry.asked) this.#menus.delete(ack.menu);
    else if (ack.result === 'busy' && !entry.asked) this.#sendLater(entry);
    else if (ack.result !== 'ok' || entry.asked) this.#sendNext(entry);
    this.#events.onAnswer(ack, open === 'held');
    if (open === 'asked') asked!.done(ack);
  }

  take(post: Post): void {
    const entry = this.#menus.get(post.menu);
    if (!entry?.held || post.id <= entry.held.lastPostId) return;
    entry.held = { ...entry.held, lastPostId: post.id };
    this.#events.onPost(post);
  }

  /** A login has just succeeded: subscriptions go on after the last post that came. */
  resume(): void {
    this.pause();
    for (const entry of this.#menus.values()) this.#sendNext(entry);
  }

  /** The connection ended: nothing is sent until `resume()`. */
  pause(): void {
    for (const entry of this.#menus.values()) {
      stopTimer(entry);
      entry.open = undefined;
    }
  }

  /** Forgets all of them, when the person is another one. */
  clear(): void {
    this.pause();
    const entries = [...this.#menus.values()];
    this.#menus.clear();
    for (const { asked } of entries) asked?.done({ result: 'lost' });
  }

  #entry(menu: string): Entry {
    let entry = this.#menus.get(menu);
    if (!entry) {
      entry = {
        ...{ held: undefined, asked: undefined, open: undefined },
        ...{ cancelTimer: undefined, busyMs: busyMsMin },
      };
      this.#menus.set(menu, entry);
    }
    return entry;
  }

  #sendNext(entry: Entry): void {
    const { asked, held, open } = entry;
    const next = asked?.subscribe ?? held;
    if (open || !next) return;
    stopTimer(entry);
    if (this.#send(encodeSubscribe(next))) entry.open = asked ? 'asked' : 'held';
  }

  #sendLater(entry: Entry): void {
    stopTimer(entry);
    // Many clients are told so at the same moment.
    const waitMs = entry.busyMs * (0.5 + Math.random() / 2);
    entry.cancelTimer = this.#clock.after(waitMs, () => {
      entry.cancelTimer = undefined;
      this.#sendNext(entry);
    });
    entry.busyMs = Math.min(2 * entry.busyMs, busyMsMax);
  }
}

/** What the server has taken; undefined where the frame ended the subscription. */
function heldOf({ menu, channels, filters, lastPostId = 0 }: Subscribe): HeldSubscription | undefined {
  const isEnd = channels.length === 0 || channels.some((codes) => codes.length === 0);
  return isEnd ? undefined : { menu, channels, filters, lastPostId };
}

function stopTimer(entry: Entry): void {
  entry.cancelTimer?.();
  entry.cancelTimer = undefined;
}

/**
 * The subscriptions of a process. A feed per menu has the posts in order, an index says which subscriptions
 * may want one, and the delivery brings these to their sessions.
 */
import { encodeSubscribeAck, type Menu, type Subscribe, type SubscribeAck } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';
import type { Signals } from '../backplane/signals.ts';
import { ChannelIndex } from './channel-index.ts';
import { channelsOfLists } from './channels.ts';
import { Delivery } from './delivery.ts';
import { Feed } from './feed.ts';
import { Filters, misfitOf } from './filters.ts';
import { Gate } from './gate.ts';
import type { PostMeter } from './post-meter.ts';
import type { PostOptions } from './post-options.ts';
import { expectStoreError, type PostStore } from './post-store.ts';
import { busy, noMenu, type Refusal, refusal } from './refusal.ts';
import { findStored } from './repeat.ts';
import { Subscription } from './subscription.ts';

export type SubscriptionParts = {
  readonly menus: ReadonlyMap<string, Menu>;
  readonly store: PostStore;
  readonly signals: Signals;
  readonly meter: PostMeter;
  readonly options: PostOptions;
};

/** Reads of the store for single sessions that are on their way at once; chosen. */
const readsMax = 32;
/** Checks after which a feed that nobody needs is closed; chosen. */
const idleChecksMax = 15;

type MenuPart = {
  readonly menu: Menu;
  readonly feed: Feed;
  readonly index: ChannelIndex<Subscription>;
  subscriptions: number;
  idleChecks: number;
};

/** What a session subscribes to, by menu. */
type Subscribed = Map<MenuPart, Subscription>;

export class Subscriptions {
  readonly #store: PostStore;
  readonly #options: PostOptions;
  readonly #meter: PostMeter;
  readonly #menus = new Map<string, MenuPart>();
  readonly #sessions = new Map<PersonSession, Subscribed>();
  readonly #reads = new Gate(readsMax);
  readonly #delivery: Delivery;

  constructor({ menus, store, signals, meter, options }: SubscriptionParts) {
    this.#store = store;
    this.#options = options;
    this.#meter = meter;
    const { postBufferBytesMax: bufferBytesMax, postTailMax: tailMax } = options;
    this.#delivery = new Delivery({ store, meter, reads: this.#reads, bufferBytesMax });
    for (const menu of menus.values()) {
      const index = new ChannelIndex<Subscription>();
      const feed: Feed = new Feed({
        menu,
        store,
        signals,
        meter,
        tailMax,
        receive: (post, before) =>
          index.visit(post.channels, (subscription) => {
            // One that is not live comes to this post by itself; one that read the store may have it already.
            const { state, cursor } = subscription;
            if (state !== 'live' || post.id <= cursor || !subscription.passes(post)) return;
            subscription.cursor = Math.max(cursor, before);
            this.#delivery.push({ feed, subscription });
          }),
      });
      this.#menus.set(menu.name, { menu, feed, index, subscriptions: 0, idleChecks: 0 });
    }
  }

  /** The feed of a menu; undefined where there is no such menu. */
  feedOf(menu: string): Feed | undefined {
    return this.#menus.get(menu)?.feed;
  }

  /** Call at intervals. */
  check(): void {
    this.#delivery.retry();
    for (const part of this.#menus.values()) {
      part.idleChecks = part.subscriptions === 0 ? part.idleChecks + 1 : 0;
      if (part.idleChecks > idleChecksMax) part.feed.close();
      else part.feed.check().catch(expectStoreError);
    }
  }

  close(): void {
    for (const { feed } of this.#menus.values()) feed.close();
  }

  /** The session has ended. */
  left(session: PersonSession): void {
    const subscribed = this.#sessions.get(session);
    this.#sessions.delete(session);
    for (const [part, subscription] of subscribed ?? []) this.#end(part, subscription);
  }

  /** Takes a frame `subscribe`, and answers it. */
  subscribe(session: PersonSession, frame: Subscribe): void {
    const part = this.#menus.get(frame.menu);
    const subscribed: Subscribed = this.#sessions.get(session) ?? new Map();
    const made = part ? this.#make(session, subscribed, part, frame) : noMenu;
    if (!part || 'result' in made) return this.#tell(session, frame.menu, made as Refusal);
    const before = subscribed.get(part);
    subscribed.delete(part);
    if (before) this.#end(part, before);
    if (made.channels.size === 0)
      return this.#tell(session, frame.menu, { result: 'ok', channels: 0, posts: 0, older: false });
    subscribed.set(part, made);
    this.#sessions.set(session, subscribed);
    part.index.add(made, made.channels);
    part.subscriptions++;
    this.#meter.subscriptions.inc();
    this.#begin(part, made, frame.lastPostId ?? 0).catch((error) => {
      expectStoreError(error);
      if (made.ended) return;
      subscribed.delete(part);
      this.#end(part, made);
      this.#tell(session, frame.menu, busy);
    });
  }

  /** The subscription that a frame asks for, not yet begun; or why there can be none. */
  #make(session: PersonSession, subscribed: Subscribed, part: MenuPart, frame: Subscribe) {
    const { postChannelsMax, postFiltersMax } = this.#options;
    const { menu } = part;
    let elsewhere = 0;
    for (const [other, { channels, state }] of subscribed) {
      if (other !== part) elsewhere += channels.size;
      else if (state === 'filling') return { ...busy, detail: 'wait for the answer to the subscribe before' };
    }
    const channels = channelsOfLists(menu, frame.channels, postChannelsMax - elsewhere);
    if (!channels)
      return refusal('limit', `a connection has at most ${postChannelsMax} channels, in all menus`);
    if ('misfit' in channels) return refusal('invalid', channels.misfit);
    const { filters } = frame;
    if (filters.length > postFiltersMax)
      return refusal('limit', `a subscription has at most ${postFiltersMax} filters`);
    for (const { anyOf = [], ranges = {} } of filters) {
      const misfit = misfitOf(menu, anyOf, Object.keys(ranges));
      if (misfit) return refusal('invalid', misfit.misfit);
    }
    return new Subscription(session, channels, new Filters(menu, filters));
  }

  /** Acknowledges a subscription, repeats stored posts, and lets those follow that came meanwhile. */
  async #begin({ menu, feed }: MenuPart, subscription: Subscription, lastPostId: number): Promise<void> {
    await feed.open();
    // Another process may know later posts than this one does.
    if (lastPostId > feed.at) await feed.refresh();
    const { session, channels } = subscription;
    const { postsRepeatedMax: postsMax, postBufferBytesMax: bytesMax } = this.#options;
    const upTo = feed.at;
    const bounds = { after: Math.min(lastPostId, upTo), upTo, postsMax, bytesMax };
    const found = await this.#reads.run(async () =>
      subscription.isAlive ? findStored(this.#store, menu, subscription, bounds) : undefined,
    );
    if (!found || !subscription.isAlive) return;
    const { posts, later, older } = found;
    const counts = { channels: channels.size, posts: posts.length + later.length, older };
    this.#tell(session, menu.name, { result: 'ok', ...counts });
    subscription.cursor = upTo;
    subscription.owed = later;
    this.#delivery.write(session, posts);
    this.#delivery.push({ feed, subscription });
  }

  #end(part: MenuPart, subscription: Subscription): void {
    subscription.ended = true;
    part.index.left(subscription.channels.size);
    part.subscriptions--;
    this.#meter.subscriptions.dec();
  }

  #tell(session: PersonSession, menu: string, ack: Omit<SubscribeAck, 'menu'>): void {
    this.#meter.subscribed.inc({ result: ack.result });
    if (session.open) session.sendText(encodeSubscribeAck({ menu, ...ack }));
  }
}

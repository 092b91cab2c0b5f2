/**
 * Posts: the part of a stage that takes the frames `subscribe`, `publish` and `delete`. A post is stored
 * first, and then announced to all processes (feed.ts), each of which delivers it to its subscriptions.
 */
import {
  closeCode,
  type DecodeFault,
  type DeleteAck,
  encodeDeleteAck,
  encodePublishAck,
  type Publish,
  type PublishAck,
  parseDeletePost,
  parsePublish,
  parseSubscribe,
} from '#protocol';
import type { PersonPart, PersonSession } from '../accounts/person.ts';
import { newPostsOf } from './new-posts.ts';
import { createPostMeter, type PostMeter } from './post-meter.ts';
import { type PostOptions, postDefaults } from './post-options.ts';
import { datedLine } from './post-record.ts';
import { expectStoreError } from './post-store.ts';
import { busy, noMenu, refusal } from './refusal.ts';
import { type SubscriptionParts, Subscriptions } from './subscriptions.ts';

export type PostParts = Omit<SubscriptionParts, 'meter' | 'options'> & {
  readonly meter?: PostMeter;
  readonly options?: Partial<PostOptions>;
};

/** Publishes and deletes of one session without an answer; chosen. */
const asksMax = 8;

type Frame = Readonly<Record<string, unknown>>;

export class Posts implements PersonPart {
  readonly handlers: PersonPart['handlers'];
  readonly #parts: SubscriptionParts;
  readonly #subscriptions: Subscriptions;
  readonly #asks = new WeakMap<PersonSession, number>();
  #checks: NodeJS.Timeout | undefined;

  constructor({ meter = createPostMeter(), options, ...parts }: PostParts) {
    this.#parts = { ...parts, meter, options: { ...postDefaults, ...options } };
    this.#subscriptions = new Subscriptions(this.#parts);
    this.handlers = new Map([
      ['subscribe', (session, frame) => this.#subscribe(session, frame)],
      ['publish', (session, frame) => this.#publish(session, frame)],
      ['delete', (session, frame) => this.#delete(session, frame)],
    ]);
  }

  async start(): Promise<void> {
    this.#checks = setInterval(() => this.#subscriptions.check(), this.#parts.options.postCheckIntervalMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#checks);
    this.#subscriptions.close();
  }

  left(session: PersonSession): void {
    this.#subscriptions.left(session);
  }

  #subscribe(session: PersonSession, value: Frame): void {
    const frame = parseSubscribe(value);
    if ('fault' in frame) refuse(session, frame);
    else this.#subscriptions.subscribe(session, frame);
  }

  #publish(session: PersonSession, value: Frame): void {
    const frame = parsePublish(value);
    if ('fault' in frame) return refuse(session, frame);
    const { menu, id } = frame;
    const { published } = this.#parts.meter;
    this.#answer<Omit<PublishAck, 'menu'>>(
      session,
      () => this.#store(session.person!.user, frame),
      (outcome) => {
        published.inc({ result: outcome.result }, frame.items.length);
        return encodePublishAck({ menu, ...(id !== undefined && { id }), ...outcome });
      },
    );
  }

  /** Stores and announces the posts of a frame. */
  async #store(author: string, { menu: name, id = '', items }: Publish): Promise<Omit<PublishAck, 'menu'>> {
    const { menus, store, options } = this.#parts;
    const menu = menus.get(name);
    if (!menu) return noMenu;
    const posts = newPostsOf(menu, author, items, options);
    if ('misfit' in posts) return refusal('invalid', posts.misfit);
    const outcome = await store.publish(name, { id, author, posts });
    if (outcome.result === 'full') return refusal('full', 'this menu has no place for more posts');
    if (outcome.result === 'limit') {
      const { left, retryAfterMs } = outcome;
      return { ...refusal('limit', `you can publish ${left} more posts in this menu now`), retryAfterMs };
    }
    const { ids, date, isNew } = outcome;
    const lines = posts.map((post) => datedLine(date, post));
    if (isNew) this.#subscriptions.feedOf(name)!.announce(outcome, lines);
    return { result: 'ok', items: ids.map((one) => ({ id: one, date })) };
  }

  #delete(session: PersonSession, value: Frame): void {
    const frame = parseDeletePost(value);
    if ('fault' in frame) return refuse(session, frame);
    const { menu, id } = frame;
    const { menus, store, meter } = this.#parts;
    this.#answer<Omit<DeleteAck, 'menu' | 'id'>>(
      session,
      async () => (menus.has(menu) ? { result: await store.delete(menu, id, session.person!.user) } : noMenu),
      (outcome) => {
        if (outcome.result === 'ok') meter.deleted.inc();
        return encodeDeleteAck({ menu, id, ...outcome });
      },
    );
  }

  /** Sends the answer when the outcome is known; a store that cannot be reached is `busy`. */
  async #answer<T>(
    session: PersonSession,
    ask: () => Promise<T>,
    encode: (outcome: T | typeof busy) => string,
  ): Promise<void> {
    const asks = this.#asks.get(session) ?? 0;
    let outcome: T | typeof busy = { ...busy, detail: 'wait for the answers to the frames before' };
    if (asks < asksMax) {
      this.#asks.set(session, asks + 1);
      try {
        outcome = await ask();
      } catch (error) {
        expectStoreError(error);
        outcome = busy;
      }
      this.#asks.set(session, this.#asks.get(session)! - 1);
    }
    const text = encode(outcome);
    if (session.open) session.sendText(text);
  }
}

function refuse(session: PersonSession, { fault, detail }: DecodeFault): void {
  session.close(fault === 'too-large' ? closeCode.tooLarge : closeCode.malformed, detail);
}

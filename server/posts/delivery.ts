/**
 * Hot path. Delivery: brings subscriptions from their cursor to the newest post. What passed in one turn of
 * the event loop is one write for each session; the round is cut into slices, so that everything else gets
 * its turn. A session that has not taken what was written is left alone until it has: meanwhile it costs a
 * cursor.
 */
import type { Menu } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';
import type { Feed } from './feed.ts';
import type { Gate } from './gate.ts';
import type { PostMeter } from './post-meter.ts';
import { type PreparedPost, preparePost, type StoredPost } from './post-record.ts';
import { expectStoreError, type PostStore } from './post-store.ts';
import type { Subscription } from './subscription.ts';

export type DeliveryParts = {
  readonly store: PostStore;
  readonly meter: PostMeter;
  /** Bounds the reads of the store for single sessions. */
  readonly reads: Gate;
  readonly bufferBytesMax: number;
};

/** Chosen: as the fan-out of rooms. */
const sliceMs = 5;
/** Bytes of one write, and posts of one read; chosen. */
const writeBytesMax = 64 * 1024;
const pagePosts = 32;

export type Waiting = { readonly feed: Feed; readonly subscription: Subscription };

export class Delivery {
  readonly #parts: DeliveryParts;
  #queue: Waiting[] = [];
  #isScheduled = false;
  /** Those whose posts could not be read: `retry` tries again. */
  #failed: Waiting[] = [];

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Lets a subscription have its turn. */
  push(waiting: Waiting): void {
    waiting.subscription.state = 'queued';
    this.#queue.push(waiting);
    this.#schedule();
  }

  /** Call at intervals. */
  retry(): void {
    const failed = this.#failed;
    this.#failed = [];
    for (const waiting of failed) this.push(waiting);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#round();
    });
  }

  #round(): void {
    const queue = this.#queue;
    const endAtMs = performance.now() + sliceMs;
    let index = 0;
    this.#queue = [];
    while (index < queue.length && performance.now() < endAtMs) this.#advance(queue[index++]!);
    if (index === queue.length) return;
    this.#queue = queue.slice(index).concat(this.#queue);
    this.#schedule();
  }

  #advance(waiting: Waiting): void {
    const { feed, subscription } = waiting;
    const { session, owed } = subscription;
    if (!subscription.isAlive) return;
    if (session.bufferedBytes > this.#parts.bufferBytesMax) return this.#waitFor(waiting);
    if (owed.length > 0) return this.#read(waiting, () => this.#repeat(waiting));
    if (subscription.cursor < feed.tail.from) return this.#read(waiting, () => this.#follow(waiting));
    this.#writeTail(waiting);
  }

  #waitFor(waiting: Waiting): void {
    waiting.subscription.state = 'slow';
    this.#parts.meter.delayed.inc();
    waiting.subscription.session.whenWritten((error) => {
      if (!error && waiting.subscription.isAlive) this.push(waiting);
    });
  }

  #writeTail(waiting: Waiting): void {
    const { feed, subscription } = waiting;
    const posts: PreparedPost[] = [];
    let bytes = 0;
    let index = feed.tail.indexAfter(subscription.cursor);
    let post = feed.tail.at(index);
    for (; post && bytes < writeBytesMax; post = feed.tail.at(++index)) {
      if (subscription.wants(post)) bytes += posts[posts.push(post) - 1]!.frame.length;
      subscription.cursor = post.id;
    }
    if (post) this.push(waiting);
    else {
      // What it read from the store may be ahead of the feed.
      subscription.cursor = Math.max(subscription.cursor, feed.at);
      subscription.state = 'live';
    }
    this.write(subscription.session, posts);
  }

  /** Writes posts at once. */
  write(session: PersonSession, posts: readonly PreparedPost[]): void {
    if (posts.length === 0) return;
    session.write(posts.length === 1 ? posts[0]!.frame : Buffer.concat(posts.map(({ frame }) => frame)));
    this.#parts.meter.delivered.inc(posts.length);
  }

  /** Reads the store for one subscription, and lets it go on behind what was read. */
  #read(waiting: Waiting, read: () => Promise<readonly PreparedPost[]>): void {
    waiting.subscription.state = 'reading';
    this.#parts.reads.run(read).then(
      (posts) => {
        if (!waiting.subscription.isAlive) return;
        this.write(waiting.subscription.session, posts);
        this.push(waiting);
      },
      (error) => {
        expectStoreError(error);
        this.#failed.push(waiting);
      },
    );
  }

  /** The next of the stored posts that are owed. */
  async #repeat({ feed: { menu }, subscription }: Waiting): Promise<readonly PreparedPost[]> {
    if (!subscription.isAlive) return [];
    const ids = subscription.owed.slice(0, pagePosts);
    const posts = await this.#parts.store.read(menu.name, ids);
    subscription.owed = subscription.owed.slice(pagePosts);
    return prepareAll(menu, posts);
  }

  /** What the feed no longer has: all posts of the menu, of which some pass. */
  async #follow({ feed: { menu }, subscription }: Waiting): Promise<readonly PreparedPost[]> {
    if (!subscription.isAlive) return [];
    const { posts, upTo } = await this.#parts.store.following(menu.name, subscription.cursor, pagePosts);
    subscription.cursor = upTo;
    return prepareAll(menu, posts).filter((post) => subscription.wants(post));
  }
}

function prepareAll(menu: Menu, posts: readonly StoredPost[]): PreparedPost[] {
  return posts.flatMap((post) => preparePost(menu, post) ?? []);
}

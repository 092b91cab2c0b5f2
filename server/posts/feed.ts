/**
 * The feed of a menu in one process: its posts in the order of their ids, without a hole. Announcements bring
 * them; each names the id of the post before it. One that is not the next is not waited for: the store is
 * read from the last id. So is it after a gap of the signals, and where the newest id of the store has not
 * come in time.
 *
 * Every process that has subscriptions to a menu hears all of its posts. Ids rise by menu, and not by
 * channel, and a reader names the last one when it comes back: if a later post of one channel could overtake
 * an earlier one of another channel, it would be missed for ever.
 */
import type { Menu } from '#protocol';
import type { Signals } from '../backplane/signals.ts';
import { StoreError } from '../redis/store.ts';
import type { PostMeter } from './post-meter.ts';
import {
  encodeAnnouncement,
  type PreparedPost,
  parseAnnouncement,
  preparePost,
  type StoredPost,
} from './post-record.ts';
import { expectStoreError, type PostStore, type Published } from './post-store.ts';
import { PostTail } from './post-tail.ts';

export type FeedParts = {
  readonly menu: Menu;
  readonly store: PostStore;
  readonly signals: Signals;
  readonly meter: PostMeter;
  readonly tailMax: number;
  /** Takes each post; `before` is the id of the one before it here. */
  receive(post: PreparedPost, before: number): void;
};

/** Posts of one read of the store; chosen. */
const pagePosts = 100;

export class Feed {
  readonly #parts: FeedParts;
  readonly #name: string;
  #opening: Promise<void> | undefined;
  #unlisten = () => {};
  #isOpen = false;
  /** The newest id that is known to be stored. */
  #target = 0;
  /** The newest id at the check before. */
  #checked = 0;
  #reading: Promise<void> | undefined;
  /** The newest id that was received. */
  at = 0;
  tail: PostTail;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#name = `#${parts.menu.name}`;
    this.tail = new PostTail(parts.tailMax, 0);
  }

  get menu(): Menu {
    return this.#parts.menu;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when every post behind `at` will be received; rejects where that cannot be promised now. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: Error) => {
      this.close();
      throw error;
    });
    return this.#opening;
  }

  /** Receives nothing more; it can be opened again. */
  close(): void {
    this.#unlisten();
    this.#unlisten = () => {};
    this.#opening = undefined;
    this.#isOpen = false;
  }

  /**
   * Tells all processes of posts that were stored. A signal that cannot be carried is missed by nobody for
   * long.
   */
  announce({ before, ids }: Published, lines: readonly string[]): void {
    for (const [index, id] of ids.entries()) {
      const post = { id, line: lines[index]! };
      this.#parts.signals.publish(
        this.#name,
        encodeAnnouncement(index === 0 ? before : ids[index - 1]!, post),
      );
    }
  }

  /** Resolves when all posts that are stored now were received. Rejects where the store cannot be read. */
  async refresh(): Promise<void> {
    this.#target = Math.max(this.#target, await this.#parts.store.last(this.#parts.menu.name));
    while (this.at < this.#target) await this.#catchUp();
  }

  /** Call at intervals: reads what was already stored at the call before and has not come. */
  async check(): Promise<void> {
    if (!this.#isOpen) return;
    const { store, menu } = this.#parts;
    const isLate = this.at < Math.max(this.#checked, this.#target);
    const last = await store.last(menu.name);
    this.#checked = last;
    if (!isLate || !this.#isOpen) return;
    this.#target = Math.max(this.#target, last);
    await this.#heal();
  }

  async #open(): Promise<void> {
    const { signals, store, menu, tailMax } = this.#parts;
    const ok = await new Promise<boolean>((resolve) => {
      const unlisten = signals.listen(
        this.#name,
        {
          receive: (payload) => this.#receive(payload),
          gap: () => void (this.#isOpen && this.refresh().catch(expectStoreError)),
        },
        resolve,
      );
      this.#unlisten = unlisten;
    });
    if (!ok) throw new StoreError('the announcements of posts cannot be heard at present');
    this.at = await store.last(menu.name);
    this.#checked = this.at;
    this.tail = new PostTail(tailMax, this.at);
    this.#isOpen = true;
    if (this.at < this.#target) await this.#catchUp();
  }

  #receive(payload: Buffer): void {
    const announced = parseAnnouncement(payload);
    if (!announced || announced.id <= this.at) return;
    const { before, id } = announced;
    if (this.#isOpen && before <= this.at) return this.#append(announced);
    this.#target = Math.max(this.#target, id);
    if (this.#isOpen) this.#heal().catch(expectStoreError);
  }

  #heal(): Promise<void> {
    if (!this.#reading) this.#parts.meter.healed.inc();
    return this.#catchUp();
  }

  /** Reads the store until the target has been received. Where that fails, the next check tries again. */
  #catchUp(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { store, menu } = this.#parts;
    while (this.at < this.#target) {
      const target = this.#target;
      const { posts, upTo, ended } = await store.following(menu.name, this.at, pagePosts);
      for (const post of posts) if (post.id > this.at) this.#append(post);
      this.at = Math.max(this.at, upTo);
      // Redis may have lost what was announced: it is not there, and nothing else can bring it.
      if (ended && this.#target === target) this.#target = this.at;
    }
  }

  #append(stored: StoredPost): void {
    const before = this.at;
    this.at = stored.id;
    const post = preparePost(this.#parts.menu, stored);
    if (!post) return;
    this.tail.push(post);
    this.#parts.receive(post, before);
  }
}

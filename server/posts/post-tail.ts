/** Hot path. The newest posts of a menu that a process keeps, in the order of their ids. */
import type { PreparedPost } from './post-record.ts';

export class PostTail {
  readonly #postsMax: number;
  #posts: PreparedPost[] = [];
  /** Index of the oldest one that counts. */
  #start = 0;
  /** All posts of the menu behind this id, up to the newest, are in the tail. */
  from: number;

  constructor(postsMax: number, from: number) {
    this.#postsMax = postsMax;
    this.from = from;
  }

  /** Adds a post that is newer than all of them. */
  push(post: PreparedPost): void {
    this.#posts.push(post);
    if (this.#posts.length - this.#start <= this.#postsMax) return;
    this.from = this.#posts[this.#start++]!.id;
    if (this.#start < this.#postsMax) return;
    this.#posts = this.#posts.slice(this.#start);
    this.#start = 0;
  }

  /** The index of the first post that is greater than an id; `at` takes it. */
  indexAfter(id: number): number {
    let [low, high] = [this.#start, this.#posts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#posts[middle]!.id > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Undefined behind the newest. */
  at(index: number): PreparedPost | undefined {
    return this.#posts[index];
  }
}

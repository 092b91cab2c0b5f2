/** Posts in the memory of one process: for tests, and as the plainest form of what a store guarantees. */
import { datedLine, headOf, type StoredPost } from './post-record.ts';
import type {
  FollowingPage,
  NewestPage,
  PostStore,
  PostStoreLimits,
  Published,
  PublishOutcome,
  PublishRequest,
} from './post-store.ts';

type MenuPosts = {
  last: number;
  /** In the order of their ids. */
  lines: Map<number, string>;
  byAuthor: Map<string, number[]>;
  /** By author and name of the request. */
  requests: Map<string, Published>;
};

const dayMs = 86_400_000;

export class MemoryPostStore implements PostStore {
  readonly #limits: PostStoreLimits;
  readonly #nowMs: () => number;
  readonly #menus = new Map<string, MenuPosts>();

  /** `nowMs`: the time since 1970. */
  constructor(limits: PostStoreLimits, nowMs: () => number = Date.now) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  async publish(name: string, { id, author, posts }: PublishRequest): Promise<PublishOutcome> {
    const { postsPerPersonMax, postPeriodMs, postsPerMenuMax } = this.#limits;
    const menu = this.#menu(name);
    const nowMs = this.#nowMs();
    const request = `${author} ${id}`;
    const known = id === '' ? undefined : menu.requests.get(request);
    if (known && known.date > nowMs - dayMs) return { ...known, isNew: false };
    const own = (menu.byAuthor.get(author) ?? []).filter((post) => post > (nowMs - postPeriodMs) * 1000);
    const left = Math.max(0, postsPerPersonMax - own.length);
    if (posts.length > left) {
      const until = posts.length > postsPerPersonMax ? undefined : own[posts.length - left - 1]!;
      const retryAfterMs =
        until === undefined ? postPeriodMs : Math.ceil(until / 1000) + postPeriodMs - nowMs;
      return { result: 'limit', left, retryAfterMs };
    }
    if (menu.lines.size + posts.length > postsPerMenuMax) return { result: 'full' };
    const before = menu.last;
    for (const post of posts) {
      menu.last = Math.max(menu.last + 1, nowMs * 1000);
      menu.lines.set(menu.last, datedLine(nowMs, post));
      own.push(menu.last);
    }
    menu.byAuthor.set(author, own);
    const published = {
      result: 'ok',
      before,
      ids: own.slice(-posts.length),
      date: nowMs,
      isNew: true,
    } as const;
    if (id !== '') menu.requests.set(request, published);
    return published;
  }

  async delete(name: string, id: number, author: string): Promise<'ok' | 'unknown' | 'foreign'> {
    const { lines } = this.#menu(name);
    const line = lines.get(id);
    if (line === undefined) return 'unknown';
    if (headOf(line).author !== author) return 'foreign';
    lines.delete(id);
    return 'ok';
  }

  async last(name: string): Promise<number> {
    return this.#menu(name).last;
  }

  async newest(
    name: string,
    channels: readonly string[],
    { after, upTo, limit }: { after: number; upTo: number; limit: number },
  ): Promise<NewestPage> {
    const wanted = new Set(channels);
    const all = this.#stored(name).filter(
      ({ id, line }) => id > after && id <= upTo && headOf(line).channels.some((one) => wanted.has(one)),
    );
    const posts = all.reverse().slice(0, limit);
    return { posts, upTo: all.length > limit ? posts.at(-1)!.id - 1 : undefined };
  }

  async following(name: string, after: number, limit: number): Promise<FollowingPage> {
    const all = this.#stored(name).filter(({ id }) => id > after);
    const posts = all.slice(0, limit);
    const ended = posts.length === all.length;
    return { posts, upTo: ended ? Math.max(after, this.#menu(name).last) : posts.at(-1)!.id, ended };
  }

  async read(name: string, ids: readonly number[]): Promise<readonly StoredPost[]> {
    return this.#stored(name).filter(({ id }) => ids.includes(id));
  }

  #stored(name: string): StoredPost[] {
    return [...this.#menu(name).lines].map(([id, line]) => ({ id, line }));
  }

  /** The menu without what has expired. */
  #menu(name: string): MenuPosts {
    let menu = this.#menus.get(name);
    if (!menu) {
      menu = { last: 0, lines: new Map(), byAuthor: new Map(), requests: new Map() };
      this.#menus.set(name, menu);
    }
    const expired = (this.#nowMs() - this.#limits.postLifetimeMs) * 1000;
    for (const id of menu.lines.keys()) if (id <= expired) menu.lines.delete(id);
    return menu;
  }
}

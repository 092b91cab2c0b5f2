/** Posts in Redis: each call is one script, on keys that are all in the slot of their menu. */
import type { Store } from '../redis/store.ts';
import { headOf, lineOf, type StoredPost } from './post-record.ts';
import { deleteScript, followingScript, newestScript, publishScript } from './post-scripts.ts';
import type {
  FollowingPage,
  NewestPage,
  PostStore,
  PostStoreLimits,
  PublishOutcome,
  PublishRequest,
} from './post-store.ts';

export class RedisPostStore implements PostStore {
  readonly #store: Store;
  readonly #channel: string;
  readonly #limits: PostStoreLimits;

  /** `channel`: with it begin the names of all keys of the chat. */
  constructor(store: Store, channel: string, limits: PostStoreLimits) {
    this.#store = store;
    this.#channel = channel;
    this.#limits = limits;
  }

  async publish(menu: string, { id, author, posts }: PublishRequest): Promise<PublishOutcome> {
    const { postsPerPersonMax, postPeriodMs, postLifetimeMs, postsPerMenuMax } = this.#limits;
    const keys = ['last', 'posts', 'all', `by:${author}`, `asked:${author}`].map((key) =>
      this.#key(menu, key),
    );
    const args: (string | number)[] = [id, postsPerPersonMax, postPeriodMs, postLifetimeMs, postsPerMenuMax];
    for (const post of posts) {
      args.push(lineOf(post), post.channels.length);
      for (const channel of post.channels) args.push(keys.push(this.#key(menu, `in:${channel}`)));
    }
    const [result, ...rest] = (await this.#store.run(publishScript, keys, args)) as [string, ...string[]];
    if (result === 'full') return { result };
    if (result === 'limit') return { result, left: Number(rest[0]), retryAfterMs: Number(rest[1]) };
    const isNew = result === 'ok';
    const [before, date, ...ids] = (isNew ? rest : rest[0]!.split(' ')).map(Number);
    return { result: 'ok', before: before!, date: date!, ids, isNew };
  }

  async delete(menu: string, id: number, author: string): Promise<'ok' | 'unknown' | 'foreign'> {
    const [found] = await this.read(menu, [id]);
    if (!found) return 'unknown';
    const head = headOf(found.line);
    if (head.author !== author) return 'foreign';
    const names = ['posts', 'all', ...head.channels.map((channel) => `in:${channel}`)];
    const keys = names.map((name) => this.#key(menu, name));
    return (await this.#store.run(deleteScript, keys, [id, author])) === 1 ? 'ok' : 'unknown';
  }

  async last(menu: string): Promise<number> {
    return Number(await this.#store.call('GET', this.#key(menu, 'last')));
  }

  async newest(
    menu: string,
    channels: readonly string[],
    { after, upTo, limit }: { after: number; upTo: number; limit: number },
  ): Promise<NewestPage> {
    const names = ['posts', ...channels.map((channel) => `in:${channel}`)];
    const keys = names.map((name) => this.#key(menu, name));
    const args = [after, upTo, limit, this.#limits.postLifetimeMs];
    const [next, ...rest] = (await this.#store.run(newestScript, keys, args)) as string[];
    return { posts: postsOf(rest), upTo: next === '0' ? undefined : Number(next) };
  }

  async following(menu: string, after: number, limit: number): Promise<FollowingPage> {
    const keys = ['posts', 'all', 'last'].map((name) => this.#key(menu, name));
    const args = [after, limit, this.#limits.postLifetimeMs];
    const [ended, upTo, ...rest] = (await this.#store.run(followingScript, keys, args)) as [
      number,
      ...string[],
    ];
    return { posts: postsOf(rest), upTo: Number(upTo), ended: ended === 1 };
  }

  async read(menu: string, ids: readonly number[]): Promise<readonly StoredPost[]> {
    if (ids.length === 0) return [];
    const lines = (await this.#store.call('HMGET', this.#key(menu, 'posts'), ...ids)) as (string | null)[];
    const isStored = (line: string | null): line is string =>
      line !== null && headOf(line).date > Date.now() - this.#limits.postLifetimeMs;
    return ids.flatMap((id, index) => {
      const line = lines[index]!;
      return isStored(line) ? [{ id, line }] : [];
    });
  }

  /** The menu between braces: a cluster puts all keys with it into one slot. */
  #key(menu: string, name: string): string {
    return `${this.#channel}:posts:{${menu}}:${name}`;
  }
}

/** Posts of an answer: id and line in turn. */
function postsOf(answer: readonly string[]): StoredPost[] {
  const posts: StoredPost[] = [];
  for (let index = 0; index < answer.length; index += 2)
    posts.push({ id: Number(answer[index]), line: answer[index + 1]! });
  return posts;
}

/** Where posts are stored: the interface, and what every implementation guarantees. */
import { StoreError } from '../redis/store.ts';
import type { PostOptions } from './post-options.ts';
import type { NewPost, StoredPost } from './post-record.ts';

/** The bounds of a store. */
export type PostStoreLimits = Pick<
  PostOptions,
  'postsPerPersonMax' | 'postPeriodMs' | 'postLifetimeMs' | 'postsPerMenuMax'
>;

export type PublishRequest = {
  /** The name that the client gave this request; empty: none. */
  readonly id: string;
  readonly author: string;
  readonly posts: readonly NewPost[];
};

export type Published = {
  readonly result: 'ok';
  /** The id of the post of this menu before the first of them. */
  readonly before: number;
  /** For each of the posts. */
  readonly ids: readonly number[];
  /** When they were stored, in ms since 1970. */
  readonly date: number;
  /** False: they had been stored before, by a request with the same name. */
  readonly isNew: boolean;
};

/** `limit`: with these the author would have more than allowed in the period; `full`: the menu would. */
export type PublishOutcome =
  | Published
  | { readonly result: 'limit'; readonly left: number; readonly retryAfterMs: number }
  | { readonly result: 'full' };

/**
 * Posts of some channels, the newest first; `upTo`: look further up to this id; undefined: there are no more.
 */
export type NewestPage = { readonly posts: readonly StoredPost[]; readonly upTo: number | undefined };

/**
 * Posts of all channels, the oldest first: all those that are at most `upTo`; `ended`: it is the newest id.
 */
export type FollowingPage = {
  readonly posts: readonly StoredPost[];
  readonly upTo: number;
  readonly ended: boolean;
};

/**
 * Every implementation guarantees, for each menu:
 * - an id is greater than all ids before, whoever published, and at most 2^53 − 1. When a post can be read,
 *   so can all that have smaller ids (until they expire or are deleted);
 * - `publish` stores all of its posts or none, in its channels, and `last` with them in the same step:
 * whoever   compares `last` with the newest post that it has heard of knows whether an announcement was lost;
 * - a request that comes again under its name within a day is not stored again;
 * - an expired post is not read, a deleted one neither; its author cannot publish another one for it.
 *
 * Every function rejects with a `StoreError` where the store cannot be reached or does not answer in time.
 * What was asked for may have been done then.
 */
export interface PostStore {
  publish(menu: string, request: PublishRequest): Promise<PublishOutcome>;
  delete(menu: string, id: number, author: string): Promise<'ok' | 'unknown' | 'foreign'>;
  /** The newest id, of posts that are gone too; 0 where there never was one. */
  last(menu: string): Promise<number>;
  /** Posts of the channels that are greater than `after` and at most `upTo`, at most `limit` of them. */
  newest(
    menu: string,
    channels: readonly string[],
    range: { readonly after: number; readonly upTo: number; readonly limit: number },
  ): Promise<NewestPage>;
  /** Posts that are greater than `after`, at most `limit` of them. */
  following(menu: string, after: number, limit: number): Promise<FollowingPage>;
  /** Those of these posts that are stored. */
  read(menu: string, ids: readonly number[]): Promise<readonly StoredPost[]>;
}

/** For a rejection that is expected in operation; any other error is a mistake in the code, and thrown on. */
export function expectStoreError(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

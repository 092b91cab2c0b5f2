/**
 * A subscription: the channels and filters of one session in one menu, and its cursor in the posts of that
 * menu. It keeps no queue: what the session has still to receive lies behind the cursor, in the feed or in
 * the store.
 */
import type { PersonSession } from '../accounts/person.ts';
import type { Filters } from './filters.ts';
import type { PreparedPost } from './post-record.ts';

/**
 * `filling`: it has not yet its ack · `live`: all that passed was written · `queued`: a post passed, and it
 * waits for its turn · `reading`: of the store · `slow`: the session has not taken what was written.
 */
type State = 'filling' | 'live' | 'queued' | 'reading' | 'slow';

export class Subscription {
  readonly session: PersonSession;
  readonly channels: ReadonlySet<string>;
  readonly #filters: Filters;
  state: State = 'filling';
  ended = false;
  /**
   * All posts with this id or a smaller one are settled, but for those that are `owed`. Where it is live:
   * some later ones too.
   */
  cursor = 0;
  /** Ids of stored posts that are to be repeated before all others, rising. */
  owed: readonly number[] = [];

  constructor(session: PersonSession, channels: Iterable<string>, filters: Filters) {
    this.session = session;
    this.channels = new Set(channels);
    this.#filters = filters;
  }

  /** True while it can be written to. */
  get isAlive(): boolean {
    return !this.ended && this.session.open;
  }

  /** True for a post of one of its channels that its filters let pass. */
  wants(post: PreparedPost): boolean {
    return this.passes(post) && post.channels.some((channel) => this.channels.has(channel));
  }

  /** True for a post that its filters let pass. */
  passes(post: PreparedPost): boolean {
    return this.#filters.passes(post);
  }
}

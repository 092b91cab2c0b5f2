/** Posts as a stage composes them: stored in Redis, announced over its backplane. */
import type { Registry } from 'prom-client';
import type { Signals } from '../backplane/signals.ts';
import type { Store } from '../redis/store.ts';
import { menuRoutes } from './menu-pages.ts';
import { createPostMeter } from './post-meter.ts';
import { menusOf, type PostOptions } from './post-options.ts';
import { Posts } from './posts.ts';
import { RedisPostStore } from './redis-post-store.ts';

type Services = {
  /** Somebody else starts and closes it. */
  readonly redis: Store;
  /** The start of the names of all keys of the chat. */
  readonly keys: string;
  readonly signals: Signals;
  readonly registry: Registry;
};

/** The part that takes the frames, and the paths of the menus. */
export function postsOnRedis(options: PostOptions, { redis, keys, signals, registry }: Services) {
  const menus = menusOf(options);
  const store = new RedisPostStore(redis, keys, options);
  const part = new Posts({ menus, store, signals, meter: createPostMeter(registry), options });
  return { part, routes: menuRoutes(menus) };
}

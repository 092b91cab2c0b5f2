/** The stored posts with which a subscription begins. */
import type { Menu } from '#protocol';
import { type PreparedPost, preparePost } from './post-record.ts';
import type { PostStore } from './post-store.ts';
import type { Subscription } from './subscription.ts';

/** Posts of one read, and those that are looked at for each one that may be repeated; chosen. */
const pagePosts = 100;
const lookedAtPerRepeated = 10;

/**
 * What a subscription is sent first: posts with their frames, the oldest first, and the ids of the others.
 */
export type Repeated = {
  readonly posts: readonly PreparedPost[];
  readonly later: readonly number[];
  /** Whether posts that are older pass too, or may. */
  readonly older: boolean;
};

/**
 * Finds the newest posts that pass, greater than `after` and at most `upTo`: at most `postsMax` of them.
 * Frames of more than `bytesMax` are not kept. Rejects where the store cannot be read.
 */
export async function findStored(
  store: PostStore,
  menu: Menu,
  subscription: Subscription,
  bounds: { after: number; upTo: number; postsMax: number; bytesMax: number },
): Promise<Repeated> {
  const { after, postsMax, bytesMax } = bounds;
  const channels = [...subscription.channels];
  const found: PreparedPost[] = [];
  let upTo: number | undefined = bounds.upTo;
  let lookedAt = 0;
  while (upTo !== undefined && found.length <= postsMax && lookedAt < lookedAtPerRepeated * postsMax) {
    const page = await store.newest(menu.name, channels, { after, upTo, limit: pagePosts });
    for (const stored of page.posts) {
      const post = preparePost(menu, stored);
      if (post && subscription.passes(post)) found.push(post);
    }
    lookedAt += Math.max(1, page.posts.length);
    upTo = page.upTo;
  }
  const older = found.length > postsMax || upTo !== undefined;
  const newest = found.slice(0, postsMax).reverse();
  let [bytes, kept] = [0, 0];
  // At least one: a single frame may be larger than the bound.
  while (kept < newest.length && (kept === 0 || bytes + newest[kept]!.frame.length <= bytesMax))
    bytes += newest[kept++]!.frame.length;
  return { posts: newest.slice(0, kept), later: newest.slice(kept).map(({ id }) => id), older };
}

/** Checks the posts of a frame against the menu and the bounds of a post. */
import { type Menu, type PostContent, utf8Bytes } from '#protocol';
import { channelsOfPost, type Misfit } from './channels.ts';
import { misfitOf } from './filters.ts';
import { encodeNewPost, type NewPost } from './post-record.ts';

type Bounds = { readonly postItemsMax: number; readonly postBytesMax: number };

/** The posts as they are stored, or the first that does not fit, and why. */
export function newPostsOf(
  menu: Menu,
  author: string,
  items: readonly PostContent[],
  { postItemsMax, postBytesMax }: Bounds,
): NewPost[] | Misfit {
  if (items.length > postItemsMax) return { misfit: `a frame has at most ${postItemsMax} posts` };
  const posts: NewPost[] = [];
  for (const [index, item] of items.entries()) {
    const channels = channelsOfPost(menu, item.to);
    const misfit =
      'misfit' in channels
        ? channels
        : (misfitOf(menu, item.features ?? [], Object.keys(item.ranges ?? {})) ??
          tooLong(item.body, postBytesMax));
    if (misfit) return { misfit: `items[${index}]: ${misfit.misfit}` };
    posts.push(encodeNewPost(menu.name, author, channels as string[], item));
  }
  return posts;
}

function tooLong(body: string, bytesMax: number): Misfit | undefined {
  const bytes = utf8Bytes(body);
  return bytes > bytesMax
    ? { misfit: `a body has at most ${bytesMax} bytes of UTF-8, this one ${bytes}` }
    : undefined;
}

/**
 * The product of the trees of a menu: the channels that a post is in, and those that a subscription names.
 */
import { type Code, childrenAt, type Menu, namesOfCode } from '#protocol';

/** Why codes do not fit a menu, in one clause. */
export type Misfit = { readonly misfit: string };

/** The name of a channel: `[[0, 2], [1]]` is `0.2/1`. It holds no space and no comma. */
export function channelName(codes: readonly Code[]): string {
  return codes.map((code) => code.join('.')).join('/');
}

/** The channels of a post: the products of the prefixes of its codes at the depths of the trees. */
export function channelsOfPost({ trees }: Menu, to: readonly Code[]): string[] | Misfit {
  if (to.length !== trees.length) return { misfit: `name a code of each of the ${trees.length} trees` };
  for (const [index, tree] of trees.entries()) {
    const children = childrenAt(tree, to[index]!);
    if (!children) return { misfit: `the tree ${tree.name} has no code ${shown(to[index]!)}` };
    if (children.length > 0)
      return { misfit: `name a leaf of the tree ${tree.name}: ${shown(to[index]!)} has children` };
  }
  const prefixes = trees.map(({ depths }, index) => depths.map((depth) => to[index]!.slice(0, depth)));
  return product(prefixes).map(channelName);
}

/**
 * The channels that a subscription names by a list of codes for each tree. `channelsMax`: it fits no more;
 * undefined where there are more. No channels where there are no lists, or one of them is empty.
 */
export function channelsOfLists(
  { trees }: Menu,
  lists: readonly (readonly Code[])[],
  channelsMax: number,
): string[] | Misfit | undefined {
  if (lists.length === 0) return [];
  if (lists.length !== trees.length)
    return { misfit: `name a list of codes for each of the ${trees.length} trees` };
  for (const [index, tree] of trees.entries()) {
    for (const code of lists[index]!) {
      if (!namesOfCode(tree, code)) return { misfit: `the tree ${tree.name} has no code ${shown(code)}` };
      const { name, depths } = tree;
      if (!depths.includes(code.length))
        return { misfit: `the tree ${name} has channels for codes of ${depths.join(' or ')} indices only` };
    }
  }
  const distinct = lists.map((codes) => [...new Map(codes.map((code) => [code.join('.'), code])).values()]);
  const channels = distinct.reduce((count, codes) => count * codes.length, 1);
  return channels > channelsMax ? undefined : product(distinct).map(channelName);
}

/** Channels of each post of a menu. */
export function channelsPerPost({ trees }: Menu): number {
  return trees.reduce((count, { depths }) => count * depths.length, 1);
}

/** Every way to take one of each list. */
function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((one) => list.map((item) => [...one, item])), [[]]);
}

const shown = (code: Code) => JSON.stringify(code);

/** What can be chosen in the trees of a menu: channels, and the places of a post. Pure. */
import { type Code, childrenAt, type MenuNode, type MenuTree } from '#protocol';

/** A node that can be chosen, with the names on the way to it. */
export type Choice = { readonly code: Code; readonly names: readonly string[] };

/** The nodes of a tree at depths where `isWanted` holds, in the order of the tree; the root has depth 0. */
function nodesOf(tree: MenuTree, isWanted: (depth: number, isLeaf: boolean) => boolean): Choice[] {
  const found: Choice[] = [];
  const visit = (children: readonly MenuNode[], code: Code, names: readonly string[]): void => {
    if (isWanted(code.length, children.length === 0)) found.push({ code, names });
    for (const [index, { name, children: below = [] }] of children.entries())
      visit(below, [...code, index], [...names, name]);
  };
  visit(tree.children, [], []);
  return found;
}

/** The nodes at which there are channels. */
export function channelChoices(tree: MenuTree): Choice[] {
  return nodesOf(tree, (depth) => tree.depths.includes(depth));
}

/** The leaves: a post is in one of each tree. */
export function leafChoices(tree: MenuTree): Choice[] {
  return nodesOf(tree, (_depth, isLeaf) => isLeaf);
}

/** `Portugal › Porto`; the root is everything in its tree. */
export function choiceName({ names }: Choice, tree: MenuTree): string {
  return names.length === 0 ? `every ${tree.name}` : names.join(' › ');
}

/**
 * The channels that stand for everything at a node of a tree: the node itself where there are channels at its
 * depth, else the nearest ones below it. None for a node that is deeper than every channel.
 */
export function channelsUnder(tree: MenuTree, code: Code): Code[] {
  const depth = tree.depths.find((each) => each >= code.length);
  const below = (at: Code, nodes: readonly MenuNode[]): Code[] =>
    at.length === depth
      ? [at]
      : nodes.flatMap(({ children: next = [] }, index) => below([...at, index], next));
  const nodes = childrenAt(tree, code);
  return depth === undefined || !nodes ? [] : below(code, nodes);
}

/** How many channels a subscription has: the product of its lists. */
export function channelCount(channels: readonly (readonly unknown[])[]): number {
  return channels.length === 0 ? 0 : channels.reduce((product, codes) => product * codes.length, 1);
}

/** `1 channel`, `12 channels` */
export function channelWords(channels: readonly (readonly unknown[])[]): string {
  const count = channelCount(channels);
  return count === 1 ? '1 channel' : `${count.toLocaleString('en')} channels`;
}

/**
 * Menus: what posts are about. A menu is a product of trees, such as places and kinds of cars. A code is the
 * path to a node of one tree: the indices of the children on the way, without the root. `[]` is the root,
 * `[0, 2]` the third child of its first child.
 *
 * A post names one leaf of each tree. Its channels are the products of the prefixes of its codes at the
 * depths that the trees state: with the depths 0 and 1 in both trees, a post to `[[0, 2], [1]]` is in the
 * four channels `[[], []]`, `[[], [1]]`, `[[0], []]` and `[[0], [1]]`. People subscribe to channels.
 *
 * `GET /menus` answers `{"menus": [{"name", "title"}, …]}`, `GET /menus/<name>` the menu. Both may be cached.
 */

/** The path to a node of one tree. */
export type Code = readonly number[];

export type MenuNode = { readonly name: string; readonly children?: readonly MenuNode[] };

export type MenuTree = {
  readonly name: string;
  /** The lengths of codes at which there are channels, rising; at most the length of every leaf's code. */
  readonly depths: readonly number[];
  /** The children of the root. */
  readonly children: readonly MenuNode[];
};

/** A quantity that posts may state and filters may bound, such as a price. */
export type MenuQuantity = { readonly name: string; readonly unit: string };

export type Menu = {
  /** 1 to 32 of `a-z0-9_-`. */
  readonly name: string;
  readonly title: string;
  readonly trees: readonly MenuTree[];
  /** What a post may have; frames name a feature by its index in this list. */
  readonly features: readonly string[];
  readonly quantities: readonly MenuQuantity[];
};

const menuNamePattern = /^[a-z0-9_-]{1,32}$/;

/** True for a name that a menu can have: 1 to 32 of `a-z0-9_-`. */
export function isMenuName(value: unknown): value is string {
  return typeof value === 'string' && menuNamePattern.test(value);
}

/** The children of the node with this code; undefined where the tree has no such node, none for a leaf. */
export function childrenAt(tree: MenuTree, code: Code): readonly MenuNode[] | undefined {
  let children: readonly MenuNode[] = tree.children;
  for (const index of code) {
    const node = children[index];
    if (!node) return undefined;
    children = node.children ?? [];
  }
  return children;
}

/** The names on the way to a node, such as `['Portugal', 'Porto']`; undefined where there is no such node. */
export function namesOfCode(tree: MenuTree, code: Code): string[] | undefined {
  const names: string[] = [];
  let children: readonly MenuNode[] = tree.children;
  for (const index of code) {
    const node = children[index];
    if (!node) return undefined;
    names.push(node.name);
    children = node.children ?? [];
  }
  return names;
}

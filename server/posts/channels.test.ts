import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Code, Menu, MenuNode } from '#protocol';
import { channelName, channelsOfLists, channelsOfPost, channelsPerPost } from './channels.ts';
import { smallMenu } from './posts.fixture.ts';

/** The codes of a tree at which the predicate holds. */
function codesOf(children: readonly MenuNode[], holds: (code: Code, isLeaf: boolean) => boolean): Code[] {
  const found: Code[] = [];
  const visit = (nodes: readonly MenuNode[], code: Code) => {
    if (holds(code, nodes.length === 0)) found.push(code);
    for (const [index, { children = [] }] of nodes.entries()) visit(children, [...code, index]);
  };
  visit(children, []);
  return found;
}

/** A tree all of whose leaves have the same depth. */
const tree = (height: number): fc.Arbitrary<MenuNode[]> =>
  height === 0
    ? fc.constant([])
    : fc.array(
        tree(height - 1).map((children) => ({ name: 'n', children })),
        { minLength: 1, maxLength: 3 },
      );
const menuTree = fc.integer({ min: 1, max: 3 }).chain((height) =>
  fc.record({
    name: fc.constant('t'),
    depths: fc.subarray([0, 1, 2, 3].slice(0, height + 1), { minLength: 1 }),
    children: tree(height),
  }),
);
const menu = fc
  .array(menuTree, { minLength: 1, maxLength: 3 })
  .map((trees): Menu => ({ name: 'm', title: 'm', trees, features: [], quantities: [] }));

test('a subscription shares a channel with a post exactly if it names a prefix of the post in every tree', () => {
  const cases = menu.chain((given) =>
    fc.record({
      menu: fc.constant(given),
      to: fc.tuple(
        ...given.trees.map(({ children }) => fc.constantFrom(...codesOf(children, (_, leaf) => leaf))),
      ),
      lists: fc.tuple(
        ...given.trees.map(({ children, depths }) =>
          fc.subarray(codesOf(children, ({ length }) => depths.includes(length))),
        ),
      ),
    }),
  );
  fc.assert(
    fc.property(cases, ({ menu, to, lists }) => {
      const posted = channelsOfPost(menu, to) as string[];
      const subscribed = new Set(channelsOfLists(menu, lists, 1_000_000) as string[]);
      assert.equal(posted.length, channelsPerPost(menu));
      assert.equal(new Set(posted).size, posted.length);
      assert.equal(
        subscribed.size,
        lists.reduce((count, codes) => count * codes.length, 1),
      );
      const isPrefix = (code: Code, of: Code) => code.every((index, depth) => of[depth] === index);
      const expected = lists.every((codes, index) => codes.some((code) => isPrefix(code, to[index]!)));
      assert.equal(
        posted.some((channel) => subscribed.has(channel)),
        expected,
      );
    }),
  );
});

test('the channels of a post are products of its prefixes, by name', () => {
  assert.deepEqual(
    channelsOfPost(smallMenu, [
      [0, 1],
      [1, 0],
    ]),
    ['/1', '0.1/1'],
  );
  assert.equal(
    channelName([
      [0, 2],
      [1, 0],
    ]),
    '0.2/1.0',
  );
});

test('a code that does not fit is named', () => {
  const misfits: [unknown, RegExp][] = [
    [channelsOfPost(smallMenu, [[0, 0]]), /each of the 2 trees/],
    [channelsOfPost(smallMenu, [[0, 7], [0]]), /place has no code \[0,7\]/],
    [channelsOfPost(smallMenu, [[0], [0]]), /leaf of the tree place: \[0\] has children/],
    [channelsOfPost(smallMenu, [[], [0]]), /leaf of the tree place/],
    [channelsOfLists(smallMenu, [[[]]], 9), /list of codes for each of the 2 trees/],
    [channelsOfLists(smallMenu, [[[0]], [[0]]], 9), /place has channels for codes of 0 or 2 indices/],
    [channelsOfLists(smallMenu, [[[]], [[2]]], 9), /kind has no code \[2\]/],
  ];
  for (const [outcome, pattern] of misfits) assert.match((outcome as { misfit: string }).misfit, pattern);
});

test('more channels than allowed are refused before they are made; the same code twice is one', () => {
  const lists = [
    [[], [0, 0], [0, 1]],
    [[0], [1]],
  ];
  assert.equal(channelsOfLists(smallMenu, lists, 5), undefined);
  assert.equal((channelsOfLists(smallMenu, lists, 6) as string[]).length, 6);
  assert.equal(
    (
      channelsOfLists(
        smallMenu,
        [
          [[], []],
          [[0], [0]],
        ],
        1,
      ) as string[]
    ).length,
    1,
  );
  assert.deepEqual(channelsOfLists(smallMenu, [], 0), []);
  assert.deepEqual(channelsOfLists(smallMenu, [[], [[0]]], 0), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MenuTree } from '#protocol';
import { channelChoices, channelsUnder, channelWords, choiceName, leafChoices } from './menu-choices.ts';

const tree: MenuTree = {
  name: 'place',
  depths: [0, 2],
  children: [{ name: 'Portugal', children: [{ name: 'Lisbon' }, { name: 'Porto' }] }, { name: 'Malta' }],
};

test('channels are at the depths of the tree, posts in its leaves', () => {
  const names = (choices: ReturnType<typeof leafChoices>) =>
    choices.map((choice) => choiceName(choice, tree));
  assert.deepEqual(names(channelChoices(tree)), ['every place', 'Portugal › Lisbon', 'Portugal › Porto']);
  assert.deepEqual(names(leafChoices(tree)), ['Portugal › Lisbon', 'Portugal › Porto', 'Malta']);
  assert.deepEqual(
    leafChoices(tree).map(({ code }) => code),
    [[0, 0], [0, 1], [1]],
  );
});

test('a node stands for itself, or for the nearest channels below it', () => {
  const lisbonAndPorto = [
    [0, 0],
    [0, 1],
  ];
  assert.deepEqual(channelsUnder(tree, []), [[]]);
  assert.deepEqual(channelsUnder(tree, [0]), lisbonAndPorto);
  assert.deepEqual(channelsUnder(tree, [0, 1]), [[0, 1]]);
  assert.deepEqual(channelsUnder({ ...tree, depths: [2] }, []), lisbonAndPorto);
  assert.deepEqual(channelsUnder({ ...tree, depths: [1] }, []), [[0], [1]]);
  assert.deepEqual(channelsUnder({ ...tree, depths: [1] }, [0, 1]), []);
  assert.deepEqual(channelsUnder(tree, [7]), []);
});

test('the channels of a subscription are the product of its lists', () => {
  const counted = [
    [],
    [[[]], []],
    [[[0]], [[]]],
    [
      [[0], [1]],
      [[0], [1], [2]],
    ],
  ].map(channelWords);
  assert.deepEqual(counted, ['0 channels', '0 channels', '1 channel', '6 channels']);
});

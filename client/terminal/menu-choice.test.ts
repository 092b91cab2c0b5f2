import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MenuTree } from '#protocol';
import { channelChoices, leafChoices } from '../core/menu-choices.ts';
import { choiceRows, readChoices } from './menu-choice.ts';

const tree: MenuTree = {
  name: 'place',
  depths: [0, 2],
  children: [{ name: 'Portugal', children: [{ name: 'Lisbon' }, { name: 'Porto' }] }, { name: 'Malta' }],
};

test('choices have numbers, and a row for each child of the root', () => {
  const rows = (choices: ReturnType<typeof leafChoices>) =>
    choiceRows(choices, tree).map((row) => row.replaceAll(/(?<=\d)\u00a0/g, ' '));
  assert.deepEqual(rows(leafChoices(tree)), ['Portugal: 1 Lisbon · 2 Porto', '3 Malta']);
  const all = channelChoices({ ...tree, depths: [0, 1, 2] });
  assert.deepEqual(rows(all), ['1 every place', '2 Portugal · 3 Lisbon · 4 Porto', '5 Malta']);
});

test('choices are numbers, names and beginnings of names; what fits none or several is told', () => {
  const labels = ['Portugal', 'Portugal › Lisbon', 'Portugal › Porto', 'Spain', 'Spain › Lisboa'];
  assert.deepEqual(readChoices('1, porto ,SPAIN,1', labels), { chosen: [0, 2, 3] });
  assert.deepEqual(readChoices('lisbon', labels), { chosen: [1] });
  assert.deepEqual(readChoices('spain › lisboa', labels), { chosen: [4] });
  assert.deepEqual(readChoices('por', labels), { unclear: 'por', fitting: [0, 2] });
  assert.deepEqual(readChoices('1, 6', labels), { unclear: '6', fitting: [] });
  assert.deepEqual(readChoices('0', labels), { unclear: '0', fitting: [] });
  assert.deepEqual(readChoices(' , ', labels), { chosen: [] });
});

test('each number alone chooses its label, and no answer throws', () => {
  const labels = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(labels, fc.string(), fc.nat(19), (all, answer, index) => {
      readChoices(answer, all);
      const given = index % all.length;
      assert.deepEqual(readChoices(String(given + 1), all), { chosen: [given] });
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Variant } from '../trial/variant.ts';
import { inTurns, oneByOne, type Turn } from './sides.ts';

const sides = [{ name: 'a', serverRoot: '/other', commit: 'c0ffee' }, { name: 'b' }];
const variants = ['03', '04'].map((name) => ({ name }) as Variant);
const orderOf = (turns: readonly Turn[]) =>
  turns.map(({ side, variant }) => `${side.name}${variant.name}`).join(' ');

test('sides take turns in each variant, and the order changes from round to round', () => {
  assert.equal(orderOf(inTurns(sides, variants, 2)), 'a03 b03 b03 a03 a04 b04 b04 a04');
});

test('runs of the same code follow each other whole', () => {
  assert.equal(orderOf(oneByOne(sides, variants)), 'a03 a04 b03 b04');
});

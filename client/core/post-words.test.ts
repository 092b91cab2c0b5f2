import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Menu } from '#protocol';
import { factsOf, placesOf, refusalWords, waitWords } from './post-words.ts';

const menu: Menu = {
  ...{ name: 'cars', title: 'Cars', features: ['old', 'red'], quantities: [{ name: 'price', unit: 'EUR' }] },
  trees: [{ name: 'place', depths: [1], children: [{ name: 'Portugal', children: [{ name: 'Porto' }] }] }],
};

test('a post is told in the names of its menu, or in its codes where the menu has none', () => {
  assert.deepEqual(placesOf({ to: [[0, 0]] }, menu), ['Portugal › Porto']);
  assert.deepEqual(placesOf({ to: [[0, 7]] }, menu), ['0.7']);
  assert.deepEqual(placesOf({ to: [[0, 0]] }, undefined), ['0.0']);
  const facts = { features: [1, 9], ranges: { price: 900, age: [8, 12] as const }, filter: 'new' };
  assert.deepEqual(factsOf(facts, menu), ['red', 'feature 9', 'price 900', 'age 8–12', 'tag new']);
});

test('every refusal has words, and a limit says when there is a place again', () => {
  const limit = { result: 'limit', detail: 'you can publish 0 more posts in this menu now' };
  const inAMonth = { ...limit, retryAfterMs: 29.5 * 86_400_000 };
  assert.equal(refusalWords(limit), limit.detail);
  assert.equal(refusalWords(inAMonth), `${limit.detail}; there is a place again in 30 days`);
  assert.match(refusalWords({ result: 'busy', detail: 'not now' }), /^not now: try again in a moment$/);
  assert.match(refusalWords({ result: 'menu', detail: 'GET /menus' }), /no such menu/);
  assert.match(refusalWords({ result: 'foreign' }), /not yours/);
  assert.match(refusalWords({ result: 'odd' }), /the server says odd/);
  assert.deepEqual([0, 1_000, 90_000, 3_700_000].map(waitWords), [
    '1 second',
    '1 second',
    '90 seconds',
    '62 minutes',
  ]);
});

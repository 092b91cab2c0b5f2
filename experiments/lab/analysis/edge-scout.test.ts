import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoutEdge } from './edge-scout.ts';

const range = { loadMin: 1, loadMax: 10_000 };

/** Loads up to the edge hold. */
async function scout(start: number, edge: number) {
  const tried: number[] = [];
  const found = await scoutEdge(start, range, async (load) => {
    tried.push(load);
    return load <= edge ? 'pass' : 'fail';
  });
  return { tried, found };
}

test('goes up in steps of eight until a load breaks, then halves the step once', async () => {
  const { tried, found } = await scout(100, 3000);
  assert.deepEqual(tried, [100, 800, 6400, 2263]);
  assert.deepEqual(found, { held: 2263, broke: 6400 });
});

test('goes down until a load holds', async () => {
  const { tried, found } = await scout(100, 10);
  assert.deepEqual(tried, [100, 13, 2, 5]);
  assert.deepEqual(found, { held: 5, broke: 13 });
});

test('stops at either end of the range', async () => {
  assert.deepEqual((await scout(900, 1e9)).found, { held: 10_000, broke: null });
  assert.deepEqual((await scout(3, 0)).found, { held: null, broke: 1 });
});

test('a void trial counts as broken, because the search must not begin where the instrument fails', async () => {
  const { held, broke } = await scoutEdge(100, range, async (load) => (load > 300 ? 'void' : 'pass'));
  assert.deepEqual([held, broke], [283, 800]);
});

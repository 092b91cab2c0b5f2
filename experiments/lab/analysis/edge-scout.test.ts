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

test('goes up in steps of four until a load breaks, then halves the step once', async () => {
  const { tried, found } = await scout(100, 3000);
  assert.deepEqual(tried, [100, 400, 1600, 6400, 3200]);
  assert.deepEqual(found, { held: 1600, broke: 3200 });
});

test('goes down until a load holds', async () => {
  const { tried, found } = await scout(100, 10);
  assert.deepEqual(tried, [100, 25, 6, 12]);
  assert.deepEqual(found, { held: 6, broke: 12 });
});

test('stops at either end of the range', async () => {
  assert.deepEqual((await scout(900, 1e9)).found, { held: 10_000, broke: null });
  assert.deepEqual((await scout(3, 0)).found, { held: null, broke: 1 });
});

test('a void trial counts as broken, because the search must not begin where the instrument fails', async () => {
  const { held, broke } = await scoutEdge(100, range, async (load) => (load > 300 ? 'void' : 'pass'));
  assert.deepEqual([held, broke], [200, 400]);
});

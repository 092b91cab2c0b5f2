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

test('goes up in steps of three until a load breaks', async () => {
  const { tried, found } = await scout(100, 3000);
  assert.deepEqual(tried, [100, 300, 900, 2700, 8100]);
  assert.deepEqual(found, { held: 2700, broke: 8100 });
});

test('goes down in steps of eight until a load holds, then halves the step once', async () => {
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
  assert.deepEqual([held, broke], [300, 900]);
});

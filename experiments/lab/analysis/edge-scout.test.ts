import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoutEdge } from './edge-scout.ts';

const range = { loadMin: 1, loadMax: 10_000 };

/** Loads up to the edge hold; from `near` on they come near a limit. */
async function scout(start: number, edge: number, near = edge) {
  const tried: number[] = [];
  const found = await scoutEdge(start, range, async (load) => {
    tried.push(load);
    if (load > edge) return 'broke';
    return load > near ? 'near' : 'held';
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

test('goes up in smaller steps from a load that came near a limit', async () => {
  const { tried, found } = await scout(100, 3000, 2000);
  assert.deepEqual(tried, [100, 300, 900, 2700, 4050]);
  assert.deepEqual(found, { held: 2700, broke: 4050 });
});

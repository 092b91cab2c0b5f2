import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptBatches } from './kept-batches.ts';

test('small batches share blocks of their own, in which nothing else lies; a large one has its own', () => {
  const batches = new KeptBatches();
  const sizes = [100, 2000, 2048, 2049, 8192, 1, 50_000, ...Array<number>(200).fill(164)];
  const given = sizes.map((size, index) => Buffer.alloc(size, index));
  const kept = given.map((batch) => batches.copy(batch));
  assert.deepEqual(kept, given);
  const places = new Map<ArrayBufferLike, number>();
  for (const { buffer, length } of kept) places.set(buffer, (places.get(buffer) ?? 0) + length);
  for (const [{ byteLength }, used] of places) {
    assert.ok(byteLength === 8192 || byteLength === used, `${used} of ${byteLength} bytes`);
  }
  assert.equal(places.has(Buffer.from('x').buffer), false);
  const total = [...places.keys()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const wanted = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < wanted + 3 * 8192, `${total} bytes for ${wanted}`);
});

test('what is kept does not change with the bytes that it was copied from', () => {
  const batches = new KeptBatches();
  const given = Buffer.from('before');
  const kept = batches.copy(given);
  given.fill(0);
  assert.equal(kept.toString(), 'before');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundMarks } from './marks.ts';

test('marks of a logarithmic axis are round, wherever it begins, and no more than fit', () => {
  assert.deepEqual(roundMarks(25.6, 19_800, 6), [30, 100, 300, 1000, 3000, 10_000]);
  assert.deepEqual(roundMarks(25.6, 19_800, 4), [100, 1000, 10_000]);
  assert.deepEqual(
    roundMarks(0.001, 1e5, 5),
    [0.001, 0.01, 0.1, 1, 10, 100, 1000, 10_000, 1e5].filter((_, i) => i % 2 === 0),
  );
  assert.deepEqual(roundMarks(154, 260, 6), [200]);
});

test('an axis that is short has a mark, too', () => {
  for (let min = 1; min < 10; min += 0.1) assert.ok(roundMarks(min, min * 1.69, 6).length > 0, String(min));
});

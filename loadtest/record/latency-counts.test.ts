import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramSlots, latencyCountsOf, slotOf } from './histogram.ts';
import { lowestUsOf } from './latency-counts.ts';

test('each latency is counted between the bounds of its counter, and none is lost', () => {
  for (const us of [0, 1, 2, 3, 47, 1000, 1024, 250_000, 2 ** 31 - 1]) {
    const histogram = new Float64Array(histogramSlots);
    histogram[slotOf(us)] = 3;
    const { first, counts } = latencyCountsOf(histogram);
    assert.deepEqual(counts, [3], `${us} µs`);
    // The histogram itself has three digits.
    assert.ok(lowestUsOf(first) <= us && us < lowestUsOf(first + 1) * 1.001, `${us} µs in ${first}`);
  }
});

test('counters between the ends are kept, and a second without deliveries has none', () => {
  const histogram = new Float64Array(histogramSlots);
  assert.deepEqual(latencyCountsOf(histogram), { first: 0, counts: [] });
  for (const us of [1024, 1024, 4096]) histogram[slotOf(us)]! += 1;
  assert.deepEqual(latencyCountsOf(histogram), { first: 20, counts: [2, 0, 0, 0, 1] });
});

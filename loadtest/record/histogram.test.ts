import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js';
import {
  addCounts,
  encodeHistogram,
  histogramSlots,
  lowestOf,
  outstandingMs,
  slotOf,
  summarize,
  withOutstanding,
} from './histogram.ts';

const anyLatencyUs = fc.oneof(fc.nat(3000), fc.nat(5_000_000), fc.nat(2 ** 31 - 1));

function record(values: readonly number[]): Float64Array {
  const counts = new Float64Array(histogramSlots);
  for (const value of values) counts[slotOf(value)]!++;
  return counts;
}

test('every value lies in the counter that begins at or just below it', () => {
  fc.assert(
    fc.property(anyLatencyUs, (value) => {
      const slot = slotOf(value);
      assert.ok(slot >= 0 && slot < histogramSlots);
      assert.ok(lowestOf(slot) <= value && value - lowestOf(slot) <= value / 1024);
      assert.equal(slotOf(lowestOf(slot)), slot);
    }),
    { numRuns: 5000 },
  );
});

test('converting gives the HDR histogram that recording each value would have given', () => {
  fc.assert(
    fc.property(fc.array(anyLatencyUs, { minLength: 1, maxLength: 300 }), (values) => {
      const direct = build({
        bitBucketSize: 64,
        highestTrackableValue: 2 ** 31 - 1,
        numberOfSignificantValueDigits: 3,
      });
      for (const value of values) direct.recordValue(value);
      const summary = summarize(record(values));
      assert.equal(summary.count, values.length);
      for (const [percentile, ms] of [
        [50, summary.p50],
        [90, summary.p90],
        [99, summary.p99],
        [99.9, summary.p999],
      ] as const)
        assert.equal(ms, direct.getValueAtPercentile(percentile) / 1000);
      const decoded = decodeFromCompressedBase64(encodeHistogram(record(values)));
      assert.equal(decoded.totalCount, values.length);
      const max = Math.max(...values);
      const maxUs = Math.round(summary.max * 1000);
      assert.ok(maxUs >= max && maxUs <= max * 1.001 + 1);
      assert.equal(decoded.getValueAtPercentile(75), direct.getValueAtPercentile(75));
    }),
    { numRuns: 50 },
  );
});

test('histograms of workers add up to the histogram of everything', () => {
  fc.assert(
    fc.property(fc.array(anyLatencyUs), fc.array(anyLatencyUs), (one, other) => {
      const sum = record(one);
      addCounts(sum, record(other));
      assert.deepEqual(sum, record([...one, ...other]));
    }),
    { numRuns: 50 },
  );
});

test('percentiles are over everything that is owed: what is outstanding is infinitely late', () => {
  const survivors = record(Array.from({ length: 95 }, () => 2000));
  const summary = summarize(withOutstanding(survivors, 5));
  const { count, mean, p50, p90, p99, max } = summary;
  assert.equal(count, 100);
  assert.deepEqual([p50, p90], [2, 2]);
  assert.deepEqual([mean, p99, max], [outstandingMs, outstandingMs, outstandingMs]);
  assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary);
  assert.equal(summarize(withOutstanding(survivors, 0)).max, 2);
});

test('a summary of nothing is all zero', () => {
  const percentiles = { p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, p9999: 0 };
  assert.deepEqual(summarize(record([])), { count: 0, mean: 0, ...percentiles, max: 0 });
});

/**
 * Latency histograms: plain counters while recording (one shift and one increment per value), HDR histograms
 * for reading. The counters have exactly the buckets of an HDR histogram with three significant digits:
 * converting loses nothing.
 */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { bucketOf, type LatencyCounts, latencyBuckets } from './latency-counts.ts';

/**
 * Milliseconds, with three significant digits. All zero if nothing was recorded (`count` 0). A value of
 * `outstandingMs` stands for infinity: a delivery that was outstanding when the drain ended.
 */
export type LatencySummary = {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  /** Results of before have neither this nor `p9999`. */
  p95?: number;
  p99: number;
  p999: number;
  p9999?: number;
  max: number;
};

/** Number of counters, for values from 0 to 2^31 − 1 µs (35 minutes). */
export const histogramSlots = (20 << 10) + 2048;
const valueMax = 2 ** 31 - 1;
/**
 * Stands for an infinite latency in results, because JSON has no infinity: the end of the histogram, longer
 * than any drain. It compares as infinity does with every limit and every measured latency.
 */
export const outstandingMs = valueMax / 1000;

/** The counter of a value, an integer from 0 to 2^31 − 1. */
export function slotOf(valueUs: number): number {
  const shift = 21 - Math.clz32(valueUs | 2047);
  return (shift << 10) + (valueUs >>> shift);
}

/** The smallest value that the counter holds. */
export function lowestOf(slot: number): number {
  if (slot < 2048) return slot;
  const shift = (slot >>> 10) - 1;
  return (slot - (shift << 10)) * 2 ** shift;
}

/** Adds the counts of one histogram to another, from slot `offset` on. */
export function addCounts(into: Float64Array, counts: ArrayLike<number>, offset = 0): void {
  for (let i = 0; i < counts.length; i++) into[offset + i]! += counts[i]!;
}

/** The same counts, and so many deliveries that never came, as infinite latencies. */
export function withOutstanding(counts: Float64Array, outstanding: number): Float64Array {
  const all = counts.slice();
  all[histogramSlots - 1]! += outstanding;
  return all;
}

/** The same counts as an HDR histogram in microseconds. */
function toHdr(counts: ArrayLike<number>): Histogram {
  const histogram = build({
    bitBucketSize: 64,
    highestTrackableValue: valueMax,
    lowestDiscernibleValue: 1,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
    useWebAssembly: false,
  });
  // The highest value of each counter, like HDR percentiles: no reported latency is below the measured one.
  for (let slot = 0; slot < counts.length; slot++)
    if (counts[slot]! > 0) histogram.recordValueWithCount(lowestOf(slot + 1) - 1, counts[slot]!);
  return histogram;
}

/** The same counts as HDR V2, compressed, base64, in microseconds. */
export function encodeHistogram(counts: ArrayLike<number>): string {
  return encodeIntoCompressedBase64(toHdr(counts));
}

/** Percentiles in milliseconds. */
export function summarize(counts: ArrayLike<number>): LatencySummary {
  const histogram = toHdr(counts);
  if (histogram.totalCount === 0)
    return { count: 0, mean: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, p9999: 0, max: 0 };
  const isInfinite = counts[histogramSlots - 1]! > 0;
  const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  return {
    count: histogram.totalCount,
    mean: isInfinite ? outstandingMs : Math.round(histogram.mean) / 1000,
    p50: ms(50),
    p90: ms(90),
    p95: ms(95),
    p99: ms(99),
    p999: ms(99.9),
    p9999: ms(99.99),
    max: histogram.maxValue / 1000,
  };
}

const bucketOfSlot = Uint8Array.from({ length: histogramSlots }, (_, slot) => bucketOf(lowestOf(slot)));

/** The same counts in few counters. */
export function latencyCountsOf(histogram: ArrayLike<number>): LatencyCounts {
  const counts = new Array<number>(latencyBuckets).fill(0);
  for (let slot = 0; slot < histogramSlots; slot++)
    if (histogram[slot]! > 0) counts[bucketOfSlot[slot]!]! += histogram[slot]!;
  const first = counts.findIndex((count) => count > 0);
  if (first === -1) return { first: 0, counts: [] };
  return { first, counts: counts.slice(first, counts.findLastIndex((count) => count > 0) + 1) };
}

/** `0.43 ms`, `41.2 ms`, `4.21 s`, `∞` for a delivery that was outstanding when the drain ended. */
export function formatMs(milliseconds: number): string {
  if (milliseconds >= outstandingMs) return '∞';
  if (milliseconds >= 999.5) return `${Number((milliseconds / 1000).toPrecision(3))} s`;
  return `${Number(milliseconds.toPrecision(milliseconds < 1 ? 2 : 3))} ms`;
}

/**
 * The latencies of one second in few counters: what a picture of latency over time needs. Browsers use this
 * file too: it imports nothing.
 */

/**
 * Deliveries by latency, in half octaves of microseconds: `counts[i]` lie from `lowestUsOf(first + i)` to
 * below `lowestUsOf(first + i + 1)`. Empty counters at both ends are left out; a second without deliveries
 * has none.
 */
export type LatencyCounts = { first: number; counts: readonly number[] };

/** Gives some 20 rows for latencies from 0.1 ms to 100 ms. Chosen, not measured. */
const bucketsPerOctave = 2;
/** For values below 2^31 µs. */
export const latencyBuckets = 31 * bucketsPerOctave;

/** The lower bound of a counter in microseconds; that of the first is 0. */
export function lowestUsOf(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** (bucket / bucketsPerOctave);
}

/** The counter of a latency in microseconds. */
export function bucketOf(us: number): number {
  return Math.min(latencyBuckets - 1, Math.floor(bucketsPerOctave * Math.log2(Math.max(1, us))));
}

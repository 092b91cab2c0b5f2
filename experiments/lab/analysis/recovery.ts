/** How long after a freeze the latency is as it was before. Pure. */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import { medianOf } from './statistics.ts';

/** A p99 of no more than this much above the one before counts as the same. Chosen, not measured. */
const sameFactor = 1.5;
const sameMs = 10;

/**
 * Seconds from the end of a freeze to the first second after which every p99 is as before the freeze; null
 * where that was never so in the measure phase. Times of the freeze count from the start of that phase. The
 * resolution is a second.
 */
export function recoveredAfter(
  { atSeconds, seconds }: { atSeconds: number; seconds: number },
  result:
    | (Pick<LoadtestResult, 'series'> & { workload: Pick<LoadtestResult['workload'], 'durationSeconds'> })
    | null,
): number | null {
  if (result === null) return null;
  const { atSeconds: starts, deliveryLatencyMsP99: p99 } = result.series;
  const within = starts.flatMap((start, index) =>
    start >= 0 && start < result.workload.durationSeconds ? [{ start, p99: p99[index]! }] : [],
  );
  // The second before the freeze began is the last that is whole.
  const before = within.filter(({ start }) => start + 1 <= atSeconds).map((second) => second.p99);
  if (before.length === 0) return null;
  const same = Math.max(sameFactor * medianOf(before), medianOf(before) + sameMs);
  const lastAbove = within.findLast((second) => second.p99 > same);
  if (lastAbove === undefined) return 0;
  const isLast = lastAbove === within.at(-1);
  return isLast ? null : Number(Math.max(0, lastAbove.start + 1 - atSeconds - seconds).toFixed(1));
}

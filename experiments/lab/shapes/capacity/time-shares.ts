/**
 * The time of several searches, where it is bounded for all of them together. Each has an equal share; what
 * one leaves, because it knows enough, goes to the next. A search that takes longer takes from the next.
 */

/** The share of one search; `ended` tells that it is over. */
export type TimeShare = { isTimeUp: () => boolean; ended: () => void };

/**
 * Shares `seconds` among `count` searches; without a bound where it is infinite. `begin` takes the place of a
 * search in their order: a place again, or an earlier one, begins another round, to which nothing is left.
 */
export function shareTime(
  seconds: number,
  count: number,
  nowMs: () => number = () => performance.now(),
): { begin: (place: number) => TimeShare } {
  const shareMs = (seconds * 1000) / count;
  let last = { place: -1, leftMs: 0 };
  return {
    begin: (place) => {
      const isNext = place > last.place;
      const deadlineMs = nowMs() + (isNext ? last.leftMs + shareMs * (place - last.place) : shareMs);
      return {
        isTimeUp: () => nowMs() > deadlineMs,
        ended: () => {
          last = { place, leftMs: deadlineMs - nowMs() };
        },
      };
    },
  };
}

/** Below it the slow changes of a machine are larger than what a longer search can tell. Chosen. */
const precisionMin = 0.06;

/**
 * How precise a part of the searches can be in the time in which all of them come to `precision`: the width
 * of an interval falls with the square root of its trials. `share`: how many of all they are, up to 1.
 */
export function precisionIn(precision: number, share: number): number {
  return Math.min(precision, Math.max(precisionMin, precision * Math.sqrt(share)));
}

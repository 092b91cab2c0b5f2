/** The counts of the receive path. */

/** Exact counts over all input of this worker. The recorder counts deliveries, from which losses follow. */
export type Tally = {
  duplicated: number;
  reordered: number;
  misrouted: number;
  /** Of the misrouted deliveries, those of another run. */
  foreign: number;
  corrupted: number;
  /** Deliveries of earlier steps of this run. */
  late: number;
  probed: number;
};

/** All counts at zero. */
export function newTally(): Tally {
  return { duplicated: 0, reordered: 0, misrouted: 0, foreign: 0, corrupted: 0, late: 0, probed: 0 };
}

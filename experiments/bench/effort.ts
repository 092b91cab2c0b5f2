/** How long the benchmark measures: in full, for the promised figures, or quickly, to compare two trees. */

export type Effort = typeof fullEffort;

/** Chosen, not measured. */
export const fullEffort = {
  /** Of the capacity searches; see `CapacityMethod` of the lab. */
  capacity: { precision: 0.1, trialsMax: 20, warmUpSeconds: 2, measureSeconds: 3 },
  /**
   * Rounds of one process and of two workers in turn. The warm-up lasts until each process has compiled its
   * code; the measure phase is long because the rounds of two processes on one core may collide.
   */
  workers: { pairs: 5, warmUpSeconds: 6, measureSeconds: 14 },
  crowdSeconds: 15,
  idleSeconds: 3,
  /** Messages per second for the `ws` clients; the best counts, because bulk helps until they fall behind. */
  yardstickRates: [300, 500, 700],
  yardstickSeconds: 4,
};

/** Ends within three minutes on two idle cores: five trials took 3 min 6 s. Four leave wide intervals. */
export const quickEffort: Effort = {
  capacity: { precision: 0.25, trialsMax: 4, warmUpSeconds: 1, measureSeconds: 2 },
  workers: { pairs: 1, warmUpSeconds: 3, measureSeconds: 5 },
  crowdSeconds: 3,
  idleSeconds: 1,
  yardstickRates: [500],
  yardstickSeconds: 2,
};

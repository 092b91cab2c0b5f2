/** How long the benchmark measures: in full, for the promised figures, or quickly, to compare two trees. */

export type Effort = {
  /** Of the capacity searches; see `CapacityMethod` of the lab. Times in seconds. */
  capacity: {
    growth: number;
    tolerance: number;
    /** With 0 the highest load that passed once counts, even if the trials run out. */
    confirmations: number;
    trialsMax: number;
    warmUpSeconds: number;
    measureSeconds: number;
  };
  /**
   * Rounds of one process and of two workers in turn. The warm-up lasts until the compilers are done, in each
   * process for itself; the measure phase is long because the rounds of two processes on one core may
   * collide.
   */
  workers: { pairs: number; warmUpSeconds: number; measureSeconds: number };
  crowdSeconds: number;
  idleSeconds: number;
  /**
   * Messages per second for the `ws` clients; the best of them counts, because bulk helps until they fall
   * behind.
   */
  yardstickRates: readonly number[];
  yardstickSeconds: number;
};

/** Chosen, not measured. */
export const fullEffort: Effort = {
  capacity: {
    growth: 2,
    tolerance: 0.1,
    confirmations: 2,
    trialsMax: 24,
    warmUpSeconds: 2,
    measureSeconds: 3,
  },
  workers: { pairs: 5, warmUpSeconds: 6, measureSeconds: 14 },
  crowdSeconds: 15,
  idleSeconds: 3,
  yardstickRates: [300, 500, 700],
  yardstickSeconds: 4,
};

/** Chosen so that it ends within three minutes on two cores: measured 2 min 41 s on a busy machine. */
export const quickEffort: Effort = {
  capacity: {
    growth: 2,
    tolerance: 0.5,
    confirmations: 0,
    trialsMax: 5,
    warmUpSeconds: 1,
    measureSeconds: 2,
  },
  workers: { pairs: 1, warmUpSeconds: 3, measureSeconds: 5 },
  crowdSeconds: 3,
  idleSeconds: 1,
  yardstickRates: [500],
  yardstickSeconds: 2,
};

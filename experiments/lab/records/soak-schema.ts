/** The schema of long trials, in addition to that of all trials (schema.ts). */

/** A long trial at each share of the capacity, which a short search finds first; or at given loads. */
export type SoakMethod = {
  kind: 'soak';
  minutes: number;
  /** Of the capacity, 0 to 1; empty where loads are given. */
  shares: readonly number[];
  loads: readonly number[];
};

/** A time in which the p99 of the seconds was above its limit. */
export type Tip = {
  /** From the start of the measure phase. */
  atSeconds: number;
  /** Until it held again; null where it did not until the end. */
  seconds: number | null;
  /** Of the worst second. */
  p99Ms: number;
  /** Of its first second and the one before; absent where it is not known, and in old results. */
  began?: TipBeginning;
};

/** What went on when a tip began. */
export type TipBeginning = {
  /** Share of the time of the event loops, 0 to 1, in which they collected garbage. */
  gcShare: number | null;
  /** Everything but the server on its cores; null where it has none of its own. */
  besideServerCpuCores: number | null;
};

/**
 * A long trial in windows, which replace its series: their number is bounded, and with it the size of the
 * file. Nodes are added up; null where one of them was not observed.
 */
export type SoakSeries = {
  windowSeconds: number;
  /** Start of each window, from the start of the measure phase. */
  atSeconds: number[];
  /** The median of the p50 of its seconds. */
  latencyMsP50: (number | null)[];
  /** The highest p99 of its seconds: never below that of the whole window. */
  latencyMsP99: (number | null)[];
  /** The lowest reading: what is left after a collection. */
  heapBytes: (number | null)[];
  /** The median reading, as for the descriptors. */
  rssBytes: (number | null)[];
  openFiles: (number | null)[];
  /** The first of them. */
  tips: Tip[];
  /** All of them. */
  tipCount: number;
};

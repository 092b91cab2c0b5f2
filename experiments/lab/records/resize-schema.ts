/** The schema of trials in which nodes come and go, in addition to that of all trials (schema.ts). */

/** Sessions and counters of all nodes at one time; a node that has left stays as it was seen last. */
export type ResizeSample = {
  atSeconds: number;
  /** By node, in the order of their start; 0 where it does not run. */
  sessions: number[];
  /** Joins with a position, and sessions that were sent to another node, since the measure phase began. */
  resumes: number;
  moves: number;
};

export type ResizeRecord = {
  /** A node listens, is told to leave, has ended. */
  events: { atSeconds: number; node: string; what: 'added' | 'leaves' | 'left' }[];
  samples: ResizeSample[];
  /** Why it could not go on; null where all went as planned. */
  error: string | null;
};

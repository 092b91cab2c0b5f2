/** Somebody who waits to join a room, until the log can answer. */
import type { ResumeRequest } from './backplane.ts';

export type Waiting = {
  readonly request: ResumeRequest | undefined;
  readonly done: (prepared: boolean) => void;
  /** A reading of `performance.now`. */
  readonly deadlineAtMs: number;
  /** This node has read all that was in Redis after the request came. */
  isUpToDate: boolean;
};

/** `unknown`: Redis must be asked · `older`: entries must be read back. */
export type WaitingState = 'answered' | 'unknown' | 'older';

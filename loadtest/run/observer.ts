/** What follows a run while it goes: the progress on the terminal, and the metrics. */
import type { Second } from '../record/series.ts';
import type { Totals } from '../record/totals.ts';
import type { ResolvedWorkload } from '../workload.ts';

/**
 * `accounts`: those of people are created. `idle`: connected, and waiting for the command of the next step.
 */
export type Phase = 'accounts' | 'connect' | 'probe' | 'idle' | 'warm-up' | 'measure' | 'drain' | 'done';

/** Follows a run while it goes. */
export type RunObserver = {
  phase(phase: Phase): void;
  /**
   * While connecting and probing: how many users are connected, and how many have received a probe. Of
   * people: how many have their account, and how many devices have been logged in.
   */
  progress(sessionsOpen: number, probed: number, accounts: number): void;
  /** A step begins. */
  step(workload: ResolvedWorkload): void;
  /** After each second. `lost` counts the deliveries that are overdue by more than the drain. */
  second(phase: Phase, second: Second, totals: Totals, lost: number): void;
};

/** A stage: one state of the architecture, runnable by name. Stage files compose, and hold no logic of their own. */
import type { Chat } from '../chat/chat.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Config } from '../settings.ts';

export type Service = 'redis';

export type Stage = {
  /** Number and noun, such as `03-cursor`. */
  readonly name: string;
  /** The one thing that it does otherwise than the stage before, in one line. */
  readonly summary: string;
  /** Services that must be reachable. */
  readonly needs: readonly Service[];
  /** Whether it enforces limits, heartbeats and a staged drain; only the control does not. */
  readonly bounded: boolean;
  /** Whether it runs as one process per core behind a supervisor. */
  readonly perCore: boolean;
  compose(config: Config, metrics: Metrics): Chat;
};

/** Counts the messages that a client missed and that come late, in one burst, when it is back. */
import type { Clock } from './clock.ts';

/**
 * They have all come when nothing came for so long; in a room that is never quiet, after the second time.
 * Chosen, not measured.
 */
const quietMs = 150;
const burstMsMax = 5_000;

export class LateMessages {
  readonly #clock: Clock;
  readonly #onAll: (count: number) => void;
  #burst: { count: number; readonly sinceMs: number } | undefined;
  #cancelTimer = (): void => {};

  /** `onAll` gets their number, once for each burst that ended. */
  constructor(clock: Clock, onAll: (count: number) => void) {
    this.#clock = clock;
    this.#onAll = onAll;
  }

  begin(): void {
    this.#burst = { count: 0, sinceMs: this.#clock.nowMs() };
    this.#await();
  }

  /** A message has come. */
  took(): void {
    if (!this.#burst) return;
    this.#burst.count += 1;
    this.#await();
  }

  stop(): void {
    this.#cancelTimer();
    this.#burst = undefined;
  }

  /** The server does not say how many messages were missed: they end with the first pause. */
  #await(): void {
    const burst = this.#burst!;
    const leftMs = burst.sinceMs + burstMsMax - this.#clock.nowMs();
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.min(quietMs, leftMs)), () => {
      this.#burst = undefined;
      this.#onAll(burst.count);
    });
  }
}

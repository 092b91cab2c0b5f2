/** Two ways to wait, for backplanes. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Makes a function that runs the task when all sockets of this turn of the event loop have been read, once,
 * however often it is called until then: what came in one turn shares it.
 */
export function oncePerTurn(task: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      task();
    });
  };
}

/**
 * Lets things begin at least so many milliseconds after one another. What comes after a pause begins at once:
 * only who has much to do waits, so that what it does together grows.
 */
export class Pace {
  readonly #intervalMs: number;
  #beganAtMs = Number.NEGATIVE_INFINITY;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Milliseconds until the next may begin, at `nowMs` of the monotonic clock; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#beganAtMs + this.#intervalMs - nowMs);
  }

  begin(nowMs: number): void {
    this.#beganAtMs = nowMs;
  }
}

/** Resolves with true as soon as the condition holds; with false where it does not in time. */
export async function waitFor(holds: () => boolean, deadlineMs: number): Promise<boolean> {
  const deadlineAtMs = performance.now() + deadlineMs;
  while (!holds() && performance.now() <= deadlineAtMs) await sleep(5);
  return holds();
}

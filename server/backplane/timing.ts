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

/** Resolves with true as soon as the condition holds; with false where it does not in time. */
export async function waitFor(holds: () => boolean, deadlineMs: number): Promise<boolean> {
  const deadlineAtMs = performance.now() + deadlineMs;
  while (!holds() && performance.now() <= deadlineAtMs) await sleep(5);
  return holds();
}

/** Waiting for a condition, for tests: with a bound, so that what never comes fails and holds nobody up. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks every 2 ms until it holds; fails with the description after the deadline, in ms. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  description: string,
  deadlineMs = 5000,
): Promise<void> {
  const deadlineAtMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineAtMs, `not within ${deadlineMs} ms: ${description}`);
    await sleep(2);
  }
}

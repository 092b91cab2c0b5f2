/** The lowest priority for threads that share a core with one that others wait for. Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

const tasks = '/proc/self/task';

/**
 * The threads of Node's pool, which hash passwords: where they share a core with the event loop, it gets
 * nearly all of it. Call it when the pool has begun to work: it starts its threads then.
 */
export function lowerPoolPriority(): void {
  lower(() =>
    readdirSync(tasks).filter((thread) =>
      readFileSync(`${tasks}/${thread}/comm`, 'utf8').startsWith('libuv-worker'),
    ),
  );
}

/** The thread that calls it. */
export function lowerOwnPriority(): void {
  lower(() => [basename(readlinkSync('/proc/thread-self'))]);
}

function lower(threads: () => readonly string[]): void {
  try {
    for (const thread of threads()) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  } catch {
    // There is no /proc, or the system does not allow it: the threads stay as they are.
  }
}

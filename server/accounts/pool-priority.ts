/** The priority of the threads that hash passwords, against the one that serves the chat. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

const tasks = '/proc/self/task';

/**
 * Gives the threads of Node's pool the lowest priority: where they share a core with the event loop, it gets
 * nearly all of it. Linux only: elsewhere a thread has no priority of its own, and nothing happens. Call it
 * when the pool has begun to work: it starts its threads then.
 */
export function lowerPoolPriority(): void {
  try {
    for (const thread of readdirSync(tasks))
      if (readFileSync(`${tasks}/${thread}/comm`, 'utf8').startsWith('libuv-worker'))
        setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  } catch {
    // There is no /proc, or the system does not allow it: the threads stay as they are.
  }
}

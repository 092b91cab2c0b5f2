/** Threads that run only where a core has nothing else to do, beside one that others wait for. Linux only. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

const tasks = '/proc/self/task';
/** It takes some ms. Chosen. */
const chrtMsMax = 1000;

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
    for (const thread of threads()) giveWay(thread);
  } catch {
    // There is no /proc, or the system does not allow it: the threads stay as they are.
  }
}

/**
 * The policy "idle" of sched(7): such a thread stops in the moment in which another of its control group can
 * run. One of the lowest priority that has begun runs on for some ms: 4 with 250 ticks per second.
 */
function giveWay(thread: string): void {
  setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  // The policy has no call in Node. Where there is no chrt, of util-linux or BusyBox, the priority remains.
  spawnSync('chrt', ['-i', '-p', '0', thread], { stdio: 'ignore', timeout: chrtMsMax });
}

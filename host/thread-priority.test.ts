import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { lowerPoolPriority } from './thread-priority.ts';

const skip = process.platform === 'linux' ? false : 'threads have a priority of their own on Linux only';

/** The policies of sched(7): "other" is the usual one, "idle" is 5. */
const giving = { nice: 19, policy: spawnSync('chrt', ['-m']).status === 0 ? 5 : 0 };

/** From proc_pid_stat(5). */
function scheduleOf(thread: string | number): typeof giving {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  // The name stands in brackets, and may have blanks; the column after it is the third.
  const columns = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { nice: Number(columns[19 - 3]), policy: Number(columns[41 - 3]) };
}

test('threads that hash give way to the main thread', { skip }, async () => {
  const main = scheduleOf(process.pid);
  await promisify(pbkdf2)('correct horse', 'salt', 1, 16, 'sha256');
  lowerPoolPriority();
  const pool = readdirSync('/proc/self/task').filter(
    (thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === 'libuv-worker',
  );
  assert.ok(pool.length > 0, 'the threads of the pool have another name now');
  for (const thread of pool) assert.deepEqual(scheduleOf(thread), giving);
  assert.deepEqual(scheduleOf(process.pid), main);
});

test('a thread can give way to the others', { skip }, async () => {
  const main = scheduleOf(process.pid);
  const module = JSON.stringify(import.meta.resolve('./thread-priority.ts'));
  const script = `
    const { basename } = require('node:path');
    const { readlinkSync } = require('node:fs');
    const { once } = require('node:events');
    const { parentPort } = require('node:worker_threads');
    import(${module}).then(async ({ lowerOwnPriority }) => {
      lowerOwnPriority();
      parentPort.postMessage(basename(readlinkSync('/proc/thread-self')));
      await once(parentPort, 'message');
    });`;
  const worker = new Worker(script, { eval: true });
  const [thread] = await once(worker, 'message');
  const schedule = scheduleOf(thread);
  await worker.terminate();
  assert.deepEqual(schedule, giving);
  assert.deepEqual(scheduleOf(process.pid), main);
});

import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { lowerPoolPriority } from './thread-priority.ts';

const skip = process.platform === 'linux' ? false : 'threads have a priority of their own on Linux only';

test('threads that hash give way to the main thread', { skip }, async () => {
  const main = getPriority();
  await promisify(pbkdf2)('correct horse', 'salt', 1, 16, 'sha256');
  lowerPoolPriority();
  const names = readdirSync('/proc/self/task').map((thread) => {
    const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim();
    return [name, getPriority(Number(thread))] as const;
  });
  const pool = names.filter(([name]) => name === 'libuv-worker').map(([, priority]) => priority);
  assert.ok(pool.length > 0, 'the threads of the pool have another name now');
  assert.deepEqual(new Set(pool), new Set([19]));
  assert.equal(getPriority(), main);
});

test('a thread can give way to the others', { skip }, async () => {
  const main = getPriority();
  const module = JSON.stringify(import.meta.resolve('./thread-priority.ts'));
  const script = `
    const { readlinkSync } = require('node:fs');
    const { getPriority } = require('node:os');
    const { parentPort } = require('node:worker_threads');
    import(${module}).then(({ lowerOwnPriority }) => {
      lowerOwnPriority();
      const thread = readlinkSync('/proc/thread-self').split('/').at(-1);
      parentPort.postMessage(getPriority(Number(thread)));
    });`;
  const worker = new Worker(script, { eval: true });
  const [priority] = await once(worker, 'message');
  await worker.terminate();
  assert.equal(priority, 19);
  assert.equal(getPriority(), main);
});

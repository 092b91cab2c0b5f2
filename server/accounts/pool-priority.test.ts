import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { hashPassword } from './password-hash.ts';
import { lowerPoolPriority } from './pool-priority.ts';

test('threads that hash give way to the one that serves the chat', {
  skip: process.platform === 'linux' ? false : 'threads have a priority of their own on Linux only',
}, async () => {
  const main = getPriority();
  await hashPassword('correct horse', { memoryKib: 64, passes: 1 });
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

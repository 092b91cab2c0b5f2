import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startChild } from './child-process.ts';

/** Runs JavaScript as a child and resolves once it has printed its first line. */
async function script(text: string) {
  const first = Promise.withResolvers<string>();
  const child = await startChild({
    command: process.execPath,
    args: ['-e', text],
    onLine: (line) => first.resolve(line),
  });
  return { child, firstLine: await first.promise };
}

const forever = 'setInterval(() => {}, 1000);';

test('a child that ignores the polite signal is killed after its grace, with the processes it started', async () => {
  const stubborn = `process.on('SIGTERM', () => {}); const { pid } = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}]);
    console.log(pid); ${forever}`;
  const { child, firstLine } = await script(stubborn);
  await child.stop('SIGTERM', 50);
  assert.equal(child.ended(), 'killed by SIGKILL');
  await gone(firstLine);
  await child.stop('SIGTERM', 50);
});

test('what a leader leaves behind when it ends by itself is killed with its group', async () => {
  const leaver = `const { pid } = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}], { stdio: 'inherit' });
    console.log(pid); setTimeout(() => process.exit(7), 20);`;
  const { child, firstLine } = await script(leaver);
  assert.equal(await child.exit, 7);
  assert.equal(child.ended(), 'exited with code 7');
  await gone(firstLine);
});

test('the last words are kept, of both streams', async () => {
  const { child } = await script(
    `console.log('one'); console.error('two'); for (let i = 0; i < 40; i++) console.log('line ' + i);`,
  );
  await child.exit;
  const lines = child.lastLines().split('\n');
  assert.ok(lines.length <= 12 && lines.includes('line 39') && !lines.includes('line 5'));
});

test('a command that is not there rejects', async () => {
  await assert.rejects(startChild({ command: '/nowhere/at-all', args: [], onLine: () => {} }), /ENOENT/);
});

/** Killed is not yet gone: the kernel closes a process's files before it is off the list. The test's own time-out is the bound. */
async function gone(pid: string): Promise<void> {
  while (alive(pid)) await nextTurn();
}

/** False also for a process that is dead and waits only for its parent to take notice. */
function alive(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

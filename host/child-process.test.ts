import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startChild, startChildUntil } from './child-process.ts';
import { StartError } from './readiness.ts';

const command = (text: string) => ({ command: process.execPath, args: ['-e', text] });

/** Runs JavaScript as a child and resolves once it has printed its first line. */
async function script(text: string) {
  const { child, ready } = await startChildUntil(command(text), { ...readiness, readLine: (line) => line });
  return { child, firstLine: ready };
}

const forever = 'setInterval(() => {}, 1000);';
const readiness = {
  name: 'the program',
  readLine: (line: string) => /^ready at (\d+)/.exec(line)?.[1],
  deadlineMs: 5000,
};

test('a child that ignores the first signal is killed after its grace, with the processes that it started', async () => {
  const stubborn = `process.on('SIGTERM', () => {}); const { pid } = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}]);
    console.log(pid); ${forever}`;
  const { child, firstLine } = await script(stubborn);
  await child.stop('SIGTERM', 50);
  assert.equal(await child.ended, 'killed by SIGKILL');
  await gone(firstLine);
  await child.stop('SIGTERM', 50);
});

test('when a child ends by itself, the processes that it leaves behind are killed', async () => {
  const leaver = `const { pid } = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}], { stdio: 'inherit' });
    console.log(pid); setTimeout(() => process.exit(7), 20);`;
  const { child, firstLine } = await script(leaver);
  assert.equal(await child.exit, 7);
  assert.equal(child.howEnded(), 'exited with code 7');
  await gone(firstLine);
});

test('the last lines are kept, of both streams', async () => {
  const talker = `console.log('one'); console.error('two'); for (let i = 0; i < 40; i++) console.log('line ' + i);`;
  const { child } = await script(talker);
  await child.exit;
  const lines = child.lastLines().split('\n');
  assert.ok(lines.length <= 12 && lines.includes('line 39') && !lines.includes('line 5'));
});

test('a command that is not there rejects', async () => {
  await assert.rejects(startChild({ command: '/nowhere/at-all', args: [], onLine: () => {} }), /ENOENT/);
});

test('a program is ready when a line says so, and the line is read for the caller', async () => {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const options = { ...command(`console.log('hello'); console.log('ready at 7'); ${forever}`), onLine };
  const { child, ready } = await startChildUntil(options, readiness);
  await using _ = child;
  assert.equal(ready, '7');
  assert.deepEqual(lines, ['hello', 'ready at 7']);
});

test('a program that ends before it is ready is reported with its last lines', async () => {
  const start = startChildUntil(command(`console.error('no such flag'); process.exit(2);`), readiness);
  const message = /^the program ended before it was ready \(exited with code 2\).*no such flag/s;
  await assert.rejects(start, (error) => error instanceof StartError && message.test(error.message));
});

test('a program that is late is stopped and reported', async () => {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const options = { ...command(`console.log(process.pid); ${forever}`), onLine };
  await assert.rejects(startChildUntil(options, { ...readiness, deadlineMs: 300 }), /not ready within 0.3 s/);
  await gone(lines[0]!);
});

test('an abort while a program is silent stops it and rejects with the reason', async () => {
  const controller = new AbortController();
  const onLine = () => controller.abort(new Error('enough'));
  const options = { ...command(`console.log('started'); ${forever}`), onLine };
  await assert.rejects(startChildUntil(options, { ...readiness, signal: controller.signal }), /enough/);
});

/** A killed process is listed for a moment longer. The time limit of the test is the bound. */
async function gone(pid: string): Promise<void> {
  while (alive(pid)) await nextTurn();
}

/** False also for a zombie. */
function alive(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('a child and what it has started end with the process that started it, even if that is killed', async () => {
  const grandchild = `console.log(require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}]).pid); ${forever}`;
  const starter = `import { startChild } from '${new URL('./child-process.ts', import.meta.url).href}';
    const command = { command: process.execPath, args: ['-e', ${JSON.stringify(grandchild)}] };
    const ended = await startChild({ command: process.execPath, args: ['-e', ''], onLine() {} });
    await ended.exit;
    await startChild({ ...command, onLine: (line) => console.log(line) });`;
  const args = ['--input-type=module', '-e', starter];
  const options = { command: process.execPath, args, keepGroup: true };
  const { child, ready } = await startChildUntil(options, {
    ...readiness,
    readLine: (line) => /^\d+$/.exec(line)?.[0],
  });
  child.signal('SIGKILL');
  assert.equal(await child.ended, 'killed by SIGKILL');
  await gone(ready);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChildUntil } from './child-process.ts';

const module = new URL('./interruption.ts', import.meta.url).href;

/** A program that prints its interruption and goes on. */
async function startDeaf(withinMs: string) {
  const text = `import { interruption } from '${module}';
    interruption(${withinMs}).addEventListener('abort', () => console.log('aborted'));
    setInterval(() => {}, 1000); console.log('ready');`;
  const lines: string[] = [];
  const { child } = await startChildUntil(
    {
      command: process.execPath,
      args: ['--input-type=module', '-e', text],
      onLine: (line: string) => lines.push(line),
    },
    { name: 'the program', readLine: (line: string) => line || undefined, deadlineMs: 15_000 },
  );
  return { child, lines };
}

test('a program that does not heed the first signal is ended by the second', async () => {
  const { child, lines } = await startDeaf('');
  child.signal('SIGTERM');
  await sleep(100);
  child.signal('SIGTERM');
  await sleep(1200);
  assert.equal(child.howEnded(), null, 'two signals at once are one');
  child.signal('SIGINT');
  assert.equal(await child.exit, 130);
  assert.deepEqual(lines, ['ready', 'aborted']);
});

test('one signal ends a program within the bound, though it waits for something else', async () => {
  const { child } = await startDeaf('300');
  child.signal('SIGTERM');
  assert.equal(await child.exit, 130);
});

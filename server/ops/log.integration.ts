import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

/** Writes a line, waits for the end of its input, then writes two more and ends. */
const program = `
  import { createLog } from '${new URL('./log.ts', import.meta.url).href}';
  const log = createLog({});
  log.info('first');
  process.stdin.resume().on('end', () => {
    log.info('draining');
    log.info('stopped');
    process.exit(7);
  });
`;

test('a process ends although the reader of its log has gone', async () => {
  const args = ['--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  const ended = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  assert.match(String(line), /"msg":"first"/);
  child.stdout.destroy();
  await once(child.stdout, 'close');
  child.stdin.end();
  assert.deepEqual(await ended, [7, null]);
  clearTimeout(timer);
});

/** The lab where its files cannot be written: a sentence and its exit code, never a stack or a hang. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

const main = new URL('../../main.ts', import.meta.url).pathname;

/** Runs the lab to its end. */
function lab(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [main, ...args], { timeout: 60_000 }, (_error, stdout, stderr) =>
      done({ code: child.exitCode!, output: stdout + stderr }),
    );
  });
}

test('a results directory that cannot be written is bad input, said at the start', async () => {
  const { code, output } = await lab('run', '001', '--target', 'process', '--results', '/proc/results');
  assert.equal(code, 2, output);
  assert.match(output, /^Choose another --results: required .* given \/proc\/results: .*\n$/);
});

test('a targets file that cannot be written is bad input where metrics were asked for', async () => {
  const metrics = ['--metrics-port', '19470', '--targets-file', '/proc/none/lab.json'];
  const { code, output } = await lab('run', '001', '--target', 'process', ...metrics);
  assert.equal(code, 2, output);
  assert.match(output, /^Choose another --metrics-port or --targets-file: .*\/proc\/none/m);
});

/** The commands that run an experiment several times, against real servers of this repository. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRun } from '../records/schema.ts';
import { listRuns, readRun } from '../records/store.ts';

const experiments = join(import.meta.dirname, '..', '..');
const results = mkdtempSync(join(tmpdir(), 'lab-against-'));
after(() => rmSync(results, { recursive: true }));
const place = ['--target', 'process', '--results', results, '--metrics-port', '0', '--stage', '03'];
const times = ['--warm-up-seconds', '0.2', '--measure-seconds', '1'];
const small = ['--clients', '20', '--loads', '50', '--trials', '2', ...times];

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(experiments, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { child, ended: parts.then(([[code], output, errors]) => ({ code, output, errors })) };
}

const git = (...args: string[]) => execFileSync('git', args, { cwd: experiments, encoding: 'utf8' });
const worktrees = () => git('worktree', 'list', '--porcelain').match(/^worktree .*chat-lab-ref-.*$/gm) ?? [];

test('another commit and this checkout run in turns, are compared, and the checkout is gone', async () => {
  const { code, output, errors } = await start('compare', '001', '--against', 'HEAD', ...place, ...small)
    .ended;
  // A busy machine makes trials void; the same code is never worse.
  assert.ok(code === 0 || code === 3, output + errors);
  const order = [...output.matchAll(/^([ab]) {2}03-cursor {2}trial +(\d)/gm)].map(([, side]) => side);
  assert.deepEqual(order, ['a', 'b', 'b', 'a']);
  const [a, b] = listRuns(results).map((name) => readRun(join(results, name)) as LoadRun);
  assert.deepEqual([a!.record.run.at(-1), b!.record.run.at(-1)], ['a', 'b']);
  assert.deepEqual(
    a!.trials.map(({ number, load }) => [number, load]),
    [
      [1, 50],
      [2, 50],
    ],
  );
  assert.equal(a!.record.environment.gitCommit, git('rev-parse', 'HEAD').trim());
  assert.equal(a!.record.environment.gitDirty, false);
  assert.match(output, /^03-cursor, 50 messages\/s +p99 latency/m);
  assert.deepEqual(worktrees(), []);
});

test('an interruption ends with its own code, and removes the checkout', async () => {
  const { child, ended } = start('compare', '001', '--against', 'HEAD', ...place, ...small);
  while (worktrees().length === 0 && child.exitCode === null) await sleep(50);
  child.kill('SIGINT');
  assert.equal((await ended).code, 130);
  assert.deepEqual(worktrees(), []);
});

test('a version that git does not know, and one whose server does not know a flag, are bad input', async () => {
  const unknown = await start('compare', '001', '--against', 'no-such-branch', ...place).ended;
  assert.match(unknown.errors, /required a branch, tag or commit that git knows; given no-such-branch\.$/m);
  assert.equal(unknown.code, 2);
  const flag = await start('compare', '001', '--against', 'HEAD', ...place, ...small, '--set', 'no-such=1')
    .ended;
  assert.match(
    flag.errors,
    /^Choose stages and settings that the server of HEAD knows; given 03-cursor:.*--no-such/m,
  );
  assert.equal(flag.code, 2);
  assert.deepEqual(worktrees(), []);
});

test('noise runs the same code several times, and compare takes its margin', async () => {
  const noise = await start('noise', '001', '--runs', '3', ...place, ...small).ended;
  // Where a run had no judged trial, there is no figure.
  if (noise.code === 3) return assert.match(noise.output, /No figure was found in every run/);
  assert.equal(noise.code, 0, noise.output + noise.errors);
  const [a, b] = listRuns(results).filter((name) => name.includes('-aa'));
  const compared = await start('compare', a!, b!, '--results', results).ended;
  assert.match(compared.output, /^Margin from A\/A: /m);
});

test('options of a run beside names of runs, and files that cannot be written, are told at once', async () => {
  const { code, errors } = await start('compare', 'x', '--stage', '03', '--junit', '/no/such/x.xml').ended;
  assert.equal(code, 2);
  assert.deepEqual(
    errors
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0]),
    [
      'Give --junit a file that can be written',
      'Name two runs, or one version with --against',
      'Leave out --stage',
    ],
  );
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { childrenOf } from '#host/process-tree.ts';
import { exitCodeOf } from './lab/analysis/exit-code.ts';
import type { LoadRun } from './lab/records/schema.ts';
import { listRuns, readRun } from './lab/records/store.ts';

const results = mkdtempSync(join(tmpdir(), 'lab-main-'));
after(() => rmSync(results, { recursive: true }));

const start = (...args: string[]) => startWith({}, ...args);

function startWith(variables: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  const parts = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { child, ended: parts.then(([[code], output, errors]) => ({ code, output, errors })) };
}

const damaged = join(results, 'damaged.json');
writeFileSync(damaged, '{"record":');
const foreign = join(results, 'foreign.json');
writeFileSync(foreign, '{}');

const common = ['--target', 'process', '--results', results, '--metrics-port', '0'];

test('a small experiment runs end to end: real server, real simulator, files, table, page, exit code', async () => {
  const args = ['--stage', 'cursor', '--duration', '1s', '--warm-up', '0.2s', ...common];
  const { code, output, errors } = await start('run', 'slow-reader', ...args).ended;
  const [name] = listRuns(results);
  assert.ok(name !== undefined, output + errors);
  const directory = join(results, name);
  const run = readRun(directory) as LoadRun;
  // The outcome depends on the machine; that the exit code follows from the files does not.
  assert.equal(code, exitCodeOf(run), output + errors);
  assert.deepEqual(
    run.trials.map(({ stage, load, purpose }) => [stage, load, purpose]),
    [0, 100].map((load) => ['03-cursor', load, 'fixed']),
  );
  const first = run.trials[0]!;
  const { audit, histograms, workload } = first.loadtest!;
  assert.deepEqual([audit.lost, audit.delivered], [0, 200 * 20]);
  assert.equal(decodeFromCompressedBase64(histograms.deliveryLatencyUs).totalCount, audit.delivered);
  assert.equal(workload.payloadBytes, 4000);
  assert.deepEqual(
    first.phases.map(({ phase }) => phase),
    ['start', 'verify', 'connect', 'probe', 'warm-up', 'measure', 'drain'],
  );
  assert.ok(first.server!.cpuCores > 0 && first.server!.rssIdleBytes > 1e7);
  assert.ok(first.metrics[0]!.sessions.includes(20), JSON.stringify(first.metrics[0]));
  assert.match(output, /^variant +stalled readers +outcome/m);
  assert.match(output, /^03-cursor +100 +\w+/m);
  assert.match(output, /^report: .*report\.html$/m);
  const page = readFileSync(join(directory, 'report.html'), 'utf8');
  assert.match(page, /<svg role="img" aria-label="timeline"/);

  const remade = await start('report', directory, '--results', results).ended;
  assert.equal(remade.code, 0, remade.errors);
  assert.equal(readFileSync(join(directory, 'report.html'), 'utf8'), page);
  const compared = await start('compare', directory, directory).ended;
  // Without a judged trial there is nothing to compare.
  const isJudged = run.trials.every(({ outcome }) => outcome === 'pass' || outcome === 'fail');
  assert.equal(compared.code, isJudged ? 0 : 3, compared.errors);
});

test('Ctrl-C in the middle of a trial leaves no process behind, and keeps the results until then', async () => {
  const before = listRuns(results);
  const { child, ended } = start('run', 'ladder', '--stage', '03', ...common);
  const family = await familyWith(child.pid!, 'loadtest/main.ts');
  child.kill('SIGINT');
  // Under npm it arrives twice: from the terminal, and passed on.
  child.kill('SIGINT');
  const { code, output, errors } = await ended;
  assert.equal(code, 130, output + errors);
  // The shell that watches the process groups ends when it sees that the lab has ended.
  const left = () => family.map(commandLine).filter((command) => command !== '');
  for (let waits = 0; waits < 50 && left().length > 0; waits++) await sleep(20);
  assert.deepEqual(left(), []);
  const [name] = listRuns(results).filter((run) => !before.includes(run));
  const { record, trials } = readRun(join(results, name!));
  assert.equal(record.interrupted, true);
  assert.deepEqual(
    trials.map(({ outcome }) => outcome),
    ['interrupted'],
  );
  assert.ok(existsSync(join(results, name!, 'report.html')));
});

test('bad input is answered with the action, the requirement and the given value, and exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['run', 'nothing'], /required one of 001-ladder.*given nothing/],
    [['run', '1', '--stage', '9'], /required one of 01-naive.*given 9/],
    [['run', '1', '--server-cpus', '0.25', '--target', 'process'], /required --target container/],
    [['run', '1', '--trials', '0'], /Required a whole number above 0; given 0/],
    [['run', '1', '--set', 'segment-size'], /Required flag=value.*given segment-size/],
    [['report', 'nowhere', '--results', results], /given nowhere/],
    [['compare', 'nowhere', 'nowhere', '--results', results], /given nowhere/],
    [['run', '1', '--no-such-flag'], /unknown option/],
    [['run', '1', '--rate', '5/s'], /Leave out --rate: 001-ladder varies it itself.*--loads/],
    [
      ['run', '5', '--payload-size', '100B'],
      /Leave out --payload-size: 005-message-size compares several values/,
    ],
    [['run', '1', '--duration', '3'], /--duration must be a time .*such as 250ms or 5s; given: 3$/m],
    [['run', '1', '--time', '3'], /Required a time .*given 3\./],
    [['run', '1', '--server-memory', '512'], /Required a size .*such as 512B or 64KiB; given 512\./],
    [['run', '8', '--rooms', '2'], /Leave out --rooms: 008-kill has clients of its own/],
    [['run', '2', '--quick'], /Leave out --quick: 002-slow-reader searches no capacity/],
    [['run', '1', '--churn', 'x'], /--churn must be a rate .*given: x/],
    [['report', damaged], /damaged\.json cannot be read/],
    [['report', foreign], /required schema 2/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, errors } = await start(...args).ended;
      assert.match(errors, message);
      assert.equal(code, 2, args.join(' '));
    }),
  );
});

test('every option is a variable too, which the command line outranks; a misspelt one is told', async () => {
  const variables = { EXPERIMENT_STAGE: '9', EXPERIMENT_LOADS: '5x', EXPERIMENT_STAEG: '1' };
  const { code, errors } = await startWith(variables, 'run', '1', '--loads', '5').ended;
  assert.equal(code, 2, errors);
  assert.match(errors, /^Not read, .*: EXPERIMENT_STAEG \(did you mean EXPERIMENT_STAGE\?\)\.$/m);
  assert.match(errors, /required one of 01-naive.*given 9/);
  assert.doesNotMatch(errors, /5x/);
});

test('an old name is still read, with one line that says how it is written now', async () => {
  const old = ['--measure-seconds', '3', '--set', 'segment-bytes=65536', '--stage', '9'];
  const { code, errors } = await startWith({ EXPERIMENT_MINUTES: '2' }, 'run', '1', ...old).ended;
  assert.equal(code, 2, errors);
  const told = '--measure-seconds (now --duration 3s), EXPERIMENT_MINUTES (now EXPERIMENT_TIME=2m)';
  assert.ok(errors.includes(`Old names, still read: ${told}.\n`), errors);
  assert.match(errors, /^Old names, still read: --set segment-bytes \(now --set segment-size=65536B\)\.$/m);
});

test('list and doctor answer without starting anything', async () => {
  const [list, doctor] = await Promise.all([start('list').ended, start('doctor').ended]);
  assert.match(list.output, /^001-ladder +How many messages/m);
  assert.match(doctor.output, /^(ok|limits|missing) +cores +\d/m);
  assert.match(doctor.output, /^ok +03-cursor/m);
  assert.deepEqual([list.code, doctor.code], [0, 0]);
});

/** Waits until a descendant runs that command, and returns all descendants that there are then. */
async function familyWith(rootPid: number, command: string): Promise<number[]> {
  for (;;) {
    const family = descendants(rootPid);
    if (family.some((pid) => commandLine(pid).includes(command))) return family;
    await sleep(20);
  }
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

/** Empty for a process that has ended, also where nobody has asked for its exit code yet. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { capacityFindings } from '../analysis/finding.ts';
import { compactRun } from '../records/archive.ts';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun } from '../records/schema.ts';
import { readRun, writeRunRecord, writeTrialRecord } from '../records/store.ts';
import { htmlReport, reportPage } from '../report/html.ts';
import { markdownReport, replaceBetweenMarkers } from '../report/markdown.ts';
import { markdownTable, terminalTable } from '../report/table.ts';
import { capacity } from './capacity/capacity.ts';
import { findingTable } from './capacity/report.ts';
import { fixedLoad } from './fixed-load/fixed-load.ts';

const htmlOf = async (run: LoadRun) => htmlReport(run, capacity.report(run), await capacity.plots!(run));
const markdownOf = (run: LoadRun, content = capacity.report(run)) =>
  markdownReport({ run, content }, [], [], '');

/** Two stages: 01 with its edge between 100 and 110, 03 between 10,000 and 11,000 with one void trial. */
function ladderRun(): LoadRun {
  const of = (variant: string, numbers: number, load: number, p99: number, changes = {}) =>
    trialFixture(numbers, load, p99, { variant, stage: variant, ...changes });
  const loop = { name: 'event loop', evidence: '0.97 cores busy in 1 event loop' } as const;
  return runFixture(
    [
      variantFixture('01-naive', { answer: answerFixture(105), bound: loop }),
      variantFixture('03-cursor', { answer: answerFixture(10_500), bound: loop }),
    ],
    [
      ...[700, 800, 900].map((p99, index) => {
        const reasons = [`p99 was ${p99} ms; the limit is p99<250ms`];
        return of('01-naive', 1 + index, 110 + index, p99, { outcome: 'fail', reasons });
      }),
      ...[40, 80, 60].map((p99, index) => of('01-naive', 4 + index, 98 + index, p99)),
      ...[400, 500, 600].map((p99, index) => {
        return of('03-cursor', 7 + index, 11_000 + 100 * index, p99, { outcome: 'fail', reasons: ['slow'] });
      }),
      of('03-cursor', 10, 10_500, 90, { outcome: 'void', reasons: ['<the simulator> sent late'] }),
      ...[20, 30, 25].map((p99, index) => of('03-cursor', 11 + index, 9800 + 100 * index, p99)),
    ],
  );
}

/** Shows the first difference of two pages instead of both pages. */
function assertSameBytes(actual: string, expected: string): void {
  const at = [...expected].findIndex((character, index) => actual[index] !== character);
  const near = (text: string) => text.slice(Math.max(0, at - 60), at + 60);
  assert.ok(actual === expected, `differs: ${near(actual)}\n     not: ${near(expected)}`);
}

test('the same files give the same bytes, in this process and in a fresh one', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-report-'));
  const path = join(directory.path, 'run.json');
  writeFileSync(path, JSON.stringify(ladderRun()));
  const first = await htmlOf(readRun(path) as LoadRun);
  assertSameBytes(await htmlOf(readRun(path) as LoadRun), first);
  const moduleOf = (file: string) => JSON.stringify(import.meta.resolve(file));
  const script = `import { readRun } from ${moduleOf('../records/store.ts')};
    import { htmlReport } from ${moduleOf('../report/html.ts')};
    import { capacity } from ${moduleOf('./capacity/capacity.ts')};
    const run = readRun(${JSON.stringify(path)});
    process.stdout.write(htmlReport(run, capacity.report(run), await capacity.plots(run)));`;
  const fresh = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' },
  });
  assertSameBytes(fresh, first);
});

test('an archived run gives the same report as its directory, without the series that no report draws', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-report-'));
  const run = ladderRun();
  writeRunRecord(directory.path, run.record);
  for (const trial of run.trials) writeTrialRecord(directory.path, trial);
  const compact = compactRun(run, capacity.drawn(run));
  // The charts that answer show the series of every trial that has them.
  const textOf = async (shown: LoadRun) => {
    const { before, after } = reportPage(shown, capacity.report(shown), await capacity.plots!(shown));
    return before + after;
  };
  assertSameBytes(await textOf(readRun(directory.path) as LoadRun), await textOf(compact));
  const undrawn = compact.trials[0]!;
  assert.deepEqual([undrawn.nodes, undrawn.loadtest!.histograms.deliveryLatencyUs], [[], '']);
});

test('the page begins with the answer, escapes the output of programs, and refers to nothing elsewhere', async () => {
  const html = await htmlOf(ladderRun());
  assert.match(
    html,
    /class="answer">03-cursor holds 10,\d00 messages\/s \(90 % interval [\d,]+–1\d,\d00, 7 trials, 1 void\), \d+ times as many \([\d.]+–1\d\d\) as 01-naive\. Nine of ten of its trials hold 9,\d+ \([\d,]+–[\d,]+\) messages\/s\./,
  );
  assert.match(html, /&lt;the simulator&gt; sent late/);
  const scripts = [...html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag);
  assert.deepEqual(scripts, ['<script type="application/json" id="state">', '<script>']);
  const page = html.slice(0, html.indexOf('<script'));
  assert.doesNotMatch(page, /<link|<img|@import|url\((?!#)| style=| on\w+=/);
  assert.doesNotMatch(page, /https:\/\/|http:\/\/(?!www\.w3\.org\/)/);
});

test('the figures of a variant are those of its highest pass up to the capacity', () => {
  const [naive, cursor] = capacityFindings(ladderRun());
  assert.equal(naive!.typical!.loadtest!.deliveryLatencyMs.p99, 60);
  assert.equal(cursor!.typical!.number, 13);
  assert.equal(naive!.rssBytesPerSession, 30_000);
});

test('capacity and interval follow from the trials, and void ones count for nothing', () => {
  const { threshold, atLeast } = capacityFindings(ladderRun())[1]!;
  const { low, middle, high } = threshold!.capacity;
  assert.ok(8000 < low && low < 10_000 && 10_000 < middle, `${low} ${middle}`);
  assert.ok(middle < 11_000 && 11_000 < high && high < 14_000, `${middle} ${high}`);
  assert.equal(atLeast, null);
  const run = ladderRun();
  run.trials = run.trials.filter(({ outcome }) => outcome !== 'fail');
  assert.equal(capacityFindings(run)[1]!.atLeast, 10_000);
  assert.match(terminalTable(capacity.report(run).summary), /03-cursor +≥ 10,000 +– +– /);
});

test('a capacity above or below all loads that were judged is marked', () => {
  const tableOf = (trials: readonly (readonly [load: number, outcome: 'pass' | 'fail'])[]) => {
    const run = ladderRun();
    const kept = run.trials.filter(({ variant }) => variant !== '03-cursor');
    const like = run.trials.find(({ variant }) => variant === '03-cursor')!;
    run.trials = [...kept, ...trials.map(([load, outcome]) => ({ ...like, load, outcome }))];
    return terminalTable(capacity.report(run).summary);
  };
  const passes = [6000, 7000, 7400, 7500].map((load) => [load, 'pass'] as const);
  assert.match(tableOf([...passes, [5600, 'fail']]), /03-cursor +~ [\d,]+ \(/);
  const fails = [6000, 6200, 6500, 7000].map((load) => [load, 'fail'] as const);
  assert.match(tableOf([...fails, [7500, 'pass']]), /03-cursor +~ [\d,]+ \(/);
  assert.match(tableOf([...passes, [9000, 'fail']]), /03-cursor +[\d,]+ \(/);
});

test('a CPU quota that throttled the server is named as the floor of its latency', () => {
  const run = ladderRun();
  for (const trial of run.trials) {
    trial.server!.throttledShare = 0.4;
    trial.observedLimits = [{ cpuCores: 0.25, memoryBytes: 5e8 }];
  }
  assert.match(
    markdownOf(run),
    /CPU quota of 0.25 cores sets a floor of latency: .*\(01-naive 40 %, 03-cursor 40 % of the time\).* sleep up to 75 ms of every 100 ms/,
  );
  assert.doesNotMatch(markdownOf(ladderRun()), /scheduler/);
});

test('the period of a CPU quota is named, and bounds how long the scheduler can hold a server back', () => {
  const run = ladderRun();
  for (const trial of run.trials) {
    trial.server!.throttledShare = 0.4;
    trial.observedLimits = [{ cpuCores: 0.5, memoryBytes: 5e8, cpuPeriodMs: 10 }];
  }
  const text = markdownOf(run);
  assert.match(text, /CPU quota of 0.5 cores sets a floor of latency: .* sleep up to 5 ms of every 10 ms/);
  assert.match(text, /limits observed.*0.5 cores in periods of 10.{1,6}ms,/);
});

test('a report of given loads names those that each variant held, and those that it did not', () => {
  const trial = (load: number, p99: number, outcome: 'pass' | 'fail' | 'void') =>
    trialFixture(load, load, p99, { outcome, purpose: 'fixed' });
  const run = runFixture(
    [variantFixture('01-naive', { answer: null, bound: null })],
    [trial(70, 40, 'pass'), trial(80, 90, 'pass'), trial(90, 700, 'fail'), trial(100, 1, 'void')],
    { method: { kind: 'fixed', loads: [70, 80, 90, 100], repetitions: 1, emphasis: 'held' } },
  );
  const text = markdownOf(run, fixedLoad.report(run));
  const answer =
    '01-naive held the limits at 70 (p99 40 ms), 80 (p99 90 ms) and broke them at 90 (p99 700 ms) messages';
  assert.ok(text.includes(answer), text);
  assert.doesNotMatch(text, /memory grew/);
});

test('the finding has one row for each stage, with its change and how many times the first it carries', () => {
  const rows = markdownTable(findingTable(ladderRun())).split('\n').slice(2);
  assert.match(
    rows[0]!,
    /^\| \*\*01-naive\*\* \| the change of 01-naive \| 10\d<br>\([\d.]+–&NoBreak;\d+\) \| 1 \| 100&nbsp;k \| 6 \| event loop \|$/,
  );
  assert.match(
    rows[1]!,
    /\| 10,\d+<br>\([89],\d+–&NoBreak;1[1-4],\d+\) \| \d+<br>\([\d.]+–&NoBreak;\d+\) \| 10&nbsp;M \| 7 \(1\) \| event loop \|$/,
  );
});

test('only the text between the markers is replaced', () => {
  const text = (between: string) => `before\n<!-- t:begin -->\n${between}\n<!-- t:end -->\nafter\n`;
  assert.equal(replaceBetweenMarkers(text('old'), 't', 'new'), text('new'));
  assert.equal(replaceBetweenMarkers('no markers', 't', 'new'), null);
});

test('an interrupted run has a table and a page that say so', async () => {
  const run = runFixture([variantFixture('01-naive')], [], { interrupted: true });
  assert.match(terminalTable(capacity.report(run).summary), /01-naive +none/);
  assert.match(await htmlOf(run), /The run was interrupted/);
});

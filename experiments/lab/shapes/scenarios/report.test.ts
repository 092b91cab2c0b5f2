import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf } from '../../analysis/exit-code.ts';
import { runFixture, variantFixture } from '../../records/run.fixture.ts';
import { markdownReport } from '../../report/markdown.ts';
import { faultsOfKept } from './ground.ts';
import type { ScenarioRun, ScenarioTrial } from './record.ts';
import { scenarios } from './scenarios.ts';

const mebibyte = 2 ** 20;
const harmless = {
  sent: 50,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  misrouted: 0,
  corrupted: 0,
  closed: 0,
  closes: {},
};

function trial(number: number, scenario: string, changes: Partial<ScenarioTrial> = {}): ScenarioTrial {
  return {
    ...{
      number,
      variant: '03-cursor',
      stage: '03-cursor',
      purpose: 'scenario',
      outcome: 'pass',
      reasons: [],
    },
    ...{ seed: 1, startedAt: '2026-01-02T03:04:05.000Z', facts: {}, scenario, family: 'frames', about: '' },
    ...{
      offenders: 20,
      gets: ['1002'],
      got: { 1002: 20 },
      neighbours: { ...harmless, p99Ms: 5, p99MsMax: 1000 },
    },
    kept: { sessions: 0, descriptors: 0, memoryBytes: 3 * mebibyte },
    ...{ memoryBytesMax: 100 * mebibyte, crossedAfterMs: 4, seconds: 1 },
    ...changes,
  };
}

function runOf(trials: ScenarioTrial[]): ScenarioRun {
  const { record } = runFixture([variantFixture('03-cursor')], []);
  const workload = { clients: 40, ratePerSecond: 50, repetitions: 1 };
  const margins = { descriptors: 8, memoryBytes: 256 * mebibyte };
  return { record: { ...record, shape: 'scenarios', workload, margins, url: null }, trials };
}

test('a table of scenarios has the worst figures of the repetitions, and names what failed', () => {
  const slow = { neighbours: { ...harmless, p99Ms: 90, p99MsMax: 1000 } };
  const failed = { outcome: 'fail' as const, reasons: ['20 offenders got cut; required: 1002'] };
  const run = runOf([trial(1, 'bits'), trial(2, 'bits', slow), trial(3, 'opcodes', failed)]);
  const { answer, summary } = scenarios.report(run);
  assert.deepEqual(answer, [
    '2 scenarios on 03-cursor: 2 of 3 hold.',
    'Their healthy neighbours lost nothing; the highest p99 was 90 ms, beside bits (03-cursor).',
    'opcodes (03-cursor), fail: 20 offenders got cut; required: 1002.',
  ]);
  assert.deepEqual(summary.rows, [
    ['bits', 'p99 90 ms, +3 MiB', '20', '1002'],
    ['opcodes', 'FAILS', '20', '1002'],
  ]);
  assert.equal(exitCodeOf(run), 1);
  assert.equal(exitCodeOf(runOf([trial(1, 'bits')])), 0);
});

test('a run with failures is compared with one without, by stage', () => {
  const good = runOf(['a', 'b', 'c', 'd', 'e'].map((name, index) => trial(index, name)));
  const bad = runOf(good.trials.map((one) => ({ ...one, outcome: 'fail' })));
  const [row] = scenarios.compare(good, bad);
  assert.deepEqual([row!.variant, row!.a, row!.b], ['03-cursor', 0, 5]);
  assert.ok(row!.doubts!(0.05).worse < 0.01);
});

test('what a server keeps beyond the margins is a fault; what is not known is none', () => {
  assert.deepEqual(faultsOfKept({ sessions: 0, descriptors: 8, memoryBytes: 200 * mebibyte }), []);
  assert.deepEqual(faultsOfKept({ sessions: 0, descriptors: null, memoryBytes: null }), []);
  assert.deepEqual(faultsOfKept({ sessions: 2, descriptors: 9, memoryBytes: 300 * mebibyte }), [
    '2 sessions more than before',
    '9 descriptors more than before; 8 is the margin',
    '300 MiB more than at the start; 256 is the margin',
  ]);
});

test('the pictures have a row for each stage, a dot for each scenario, and a cross for what does not hold', async () => {
  const failed = { outcome: 'fail' as const, reasons: ['cut'] };
  const marks = async (run: ScenarioRun) => {
    const [neighbours] = await scenarios.plots!(run);
    return (neighbours!.svg.match(/var\(--stage-3\)/g) ?? []).length;
  };
  const run = runOf([trial(1, 'bits'), trial(2, 'opcodes'), trial(3, 'masks', failed)]);
  assert.deepEqual(
    (await scenarios.plots!(run)).map(({ file }) => file),
    ['neighbours', 'memory'],
  );
  assert.equal(await marks(run), 3);
  const silent = { neighbours: { ...harmless, p99Ms: null, p99MsMax: null }, memoryBytesMax: null };
  assert.deepEqual(await scenarios.plots!(runOf([trial(1, 'bits', silent)])), []);
});

test('a long table is folded below the pictures, a short one stands above them', () => {
  const named = (count: number) =>
    Array.from({ length: count }, (_, index) => trial(index, `offence ${index}`));
  const textOf = (run: ScenarioRun) =>
    markdownReport(
      { run, content: scenarios.report(run) },
      [{ title: 'T', caption: '', svg: '', file: 'p' }],
      [],
      '',
    );
  const [long, short] = [textOf(runOf(named(30))), textOf(runOf(named(3)))];
  assert.ok(long.indexOf('p.svg') < long.indexOf('<summary>The table of 30 rows'));
  assert.ok(short.indexOf('| offence 0 |') < short.indexOf('p.svg'));
});

import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../input-error.ts';
import { type NoiseFigure, readNoise, writeNoise } from '../records/noise-file.ts';
import { runFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, LoadRunRecord } from '../records/schema.ts';
import type { Comparison } from './compare.ts';
import { defaultMargin, marginsFor, noiseOf } from './noise.ts';

const label = { variant: '01-naive', metric: 'messages/s', unit: 'number', decides: true } as const;

function run(changes: Partial<LoadRunRecord> = {}, targetLimits = { serverCpus: 0.5 }): LoadRun {
  return runFixture([variantFixture('01-naive', { targetLimits })], [], changes);
}

/** Runs of these figures, and a comparison whose intervals reach from ratio ÷ width to ratio × width. */
function measured(figures: readonly number[], width: number): NoiseFigure[] {
  const runs = figures.map(() => run());
  const compare = (one: LoadRun, other: LoadRun): Comparison[] => {
    const [a, b] = [figures[runs.indexOf(one)]!, figures[runs.indexOf(other)]!];
    const middle = b / a;
    const ratio = { low: middle / width, middle, high: middle * width };
    return [{ ...label, a, b, ratio, doubts: () => ({ worse: 1, better: 1 }) }];
  };
  return noiseOf(runs, compare as never);
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual / expected - 1) < 0.01, `${actual} is not ${expected}`);

test('the smallest ratio follows from the spread of the runs by Student’s t', () => {
  // Logarithms −0.1, 0, 0.1: a standard deviation of 0.1; t of 95 % with 2 degrees of freedom is 2.92.
  const [figure] = measured([Math.exp(-0.1), 1, Math.exp(0.1)], 1.001);
  near(figure!.resolvable, Math.exp(2.92 * 0.1 * Math.SQRT2));
  near(figure!.spread, Math.exp(0.2));
  assert.equal(figure!.runs, 3);
});

test('the margin is what the intervals of the runs do not explain, and never nothing', () => {
  const figures = [Math.exp(-0.1), 1, Math.exp(0.1)];
  near(1 + measured(figures, 1.001)[0]!.margin, Math.exp(1.645 * 0.1 * Math.SQRT2));
  assert.equal(measured(figures, 2)[0]!.margin, 0.02);
  assert.equal(measured([5, 5, 5], 1.1)[0]!.margin, 0.02);
});

test('a row that has only a bound in one of the runs has no figure', () => {
  const runs = [run(), run(), run()];
  const row = { ...label, a: 5, b: 6, ratio: null, doubts: null };
  const bounded = (one: LoadRun): Comparison[] => (one === runs[0] ? [{ ...row, atLeast: ['a'] }] : [row]);
  assert.deepEqual(noiseOf(runs, bounded as never), []);
});

test('a margin is taken under the same conditions only: of its row, else the largest of its metric', () => {
  const [figure] = measured([1, 1.2, 1.4], 1.001);
  const known = [
    figure!,
    { ...figure!, variant: '03-cursor', margin: 0.6 },
    { ...figure!, metric: 'p99', margin: 0.7 },
  ];
  const row: Comparison = { ...label, a: 1, b: 1, ratio: { low: 1, middle: 1, high: 1 }, doubts: null };
  const marginOf = (a: LoadRun, b: LoadRun, changes: Partial<Comparison> = {}) => {
    const changed = { ...row, ...changes };
    return marginsFor(a, b, [changed], known).marginOf(changed);
  };
  assert.equal(marginOf(run(), run()), figure!.margin);
  assert.equal(marginOf(run(), run(), { variant: '01-naive, 100 messages/s' }), 0.6);
  assert.equal(marginOf(run(), run(), { metric: 'memory' }), defaultMargin);
  assert.equal(marginOf(run(), run({ target: 'container' })), defaultMargin);
  const others = [
    run({ target: 'container' }),
    run({ environment: { ...run().record.environment, cpus: 64 } }),
    run({ timing: { ...run().record.timing, measureSeconds: 9 } }),
    run({ workload: { clients: 5 } }),
    run({}, { serverCpus: 1 }),
  ];
  for (const other of others) assert.equal(marginOf(other, other), defaultMargin);
});

test('where no A/A figure was there, the notes say which margin was taken, and how to measure it', () => {
  const row: Comparison = { ...label, a: 1, b: 1, ratio: { low: 1, middle: 1, high: 1 }, doubts: null };
  const [note] = marginsFor(run(), run(), [row], []).notes;
  assert.equal(
    note,
    'No A/A figure of these conditions was found: the margin is 5 %, which is chosen. Measure it: npm run experiment -- noise 001-ladder.',
  );
});

test('figures are kept beside the results, and a new one replaces that of the same row and conditions', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-noise-'));
  const [figure] = measured([1, 1.2, 1.4], 1.001);
  assert.deepEqual(readNoise(directory.path), []);
  writeNoise(directory.path, [figure!, { ...figure!, variant: '03-cursor' }]);
  const path = writeNoise(directory.path, [{ ...figure!, margin: 0.3 }]);
  assert.deepEqual(
    readNoise(directory.path).map(({ variant, margin }) => [variant, margin]),
    [
      ['01-naive', 0.3],
      ['03-cursor', figure!.margin],
    ],
  );
  for (const damage of ['{', '[]', '{"schemaVersion":1}', '{"schemaVersion":2,"figures":[]}']) {
    writeFileSync(path, damage);
    assert.throws(() => readNoise(directory.path), InputError, damage);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactRun } from '../records/archive.ts';
import { runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { newPageState, pageRunOf, pageStateOf, pageTrial } from './page-state.ts';

const outcomes = ['pass', 'fail', 'pass', 'fail', 'pass', 'fail', 'pass', 'fail'] as const;
const trials = outcomes.map((outcome, index) =>
  trialFixture(index + 1, outcome === 'pass' ? 100 : 110, 40, { outcome }),
);
const run = runFixture([variantFixture('01-naive')], trials);

test('the interval of the capacity narrows from trial to trial, and void trials leave it as it is', () => {
  const widths = pageStateOf(run).trials.map(({ estimate }) => Math.log(estimate!.high / estimate!.low));
  assert.ok(widths.at(-1)! < widths[1]! / 2, `${widths}`);
  const withVoid = runFixture(run.record.variants, [...trials, trialFixture(9, 500, 1, { outcome: 'void' })]);
  const after = pageStateOf(withVoid).trials;
  assert.deepEqual(after[8]!.estimate, after[7]!.estimate);
});

test('trials of other variants, warm-ups and runs without a search say nothing about a capacity', () => {
  const others = [
    trialFixture(1, 10, 1, { purpose: 'warm-up' }),
    trialFixture(2, 10, 1),
    trialFixture(3, 10, 1, { variant: '03-cursor', stage: '03-cursor', outcome: 'fail' }),
  ];
  const variants = ['01-naive', '03-cursor'].map((name) => variantFixture(name));
  const known = pageStateOf(runFixture(variants, others)).trials.map(({ estimate }) => estimate !== null);
  assert.deepEqual(known, [false, true, false]);
  const method = { kind: 'fixed', loads: [10], repetitions: 1, emphasis: 'held' } as const;
  const fixed = pageStateOf(runFixture(variants, others, { method })).trials;
  assert.ok(fixed.every(({ estimate }) => estimate === null));
});

test('a page that followed the run has the trials that are made of its files', () => {
  const about = pageRunOf(run.record, run.record.variants);
  const followed = trials.map((trial, index) => pageTrial(trial, trials.slice(0, index + 1), about));
  assert.deepEqual(followed, pageStateOf(run).trials);
  assert.deepEqual({ ...newPageState(about), trials: followed, isEnded: true }, pageStateOf(run));
});

test('an archived run has the same trials, without the seconds that were not kept', () => {
  const [kept, lost] = pageStateOf(compactRun(run, new Set([1]))).trials;
  assert.deepEqual(kept, pageStateOf(run).trials[0]);
  assert.deepEqual([lost!.seconds, lost!.nodes], [null, []]);
});

test('a trial without a load is named by what was done, and its stage has the colour of that stage', () => {
  const header = {
    ...{ number: 1, variant: 'x', stage: 'x', purpose: 'scenario', outcome: 'pass', reasons: [] },
    ...{ seed: 1, startedAt: '', facts: {}, scenario: 'a flood' },
  };
  const about = pageRunOf(run.record, [{ name: 'x', stage: '03-cursor' }]);
  assert.equal(pageTrial(header as never, [], { ...about, range: null }).about, 'a flood');
  assert.match(newPageState(about).variants[0]!.colour, /^var\(--stage-3\)$/);
});

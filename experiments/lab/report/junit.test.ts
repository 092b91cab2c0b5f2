import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escaped, junitXml } from '../../../loadtest/result/junit-xml.ts';
import type { Judgement } from '../analysis/judge.ts';
import { loadtestFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { TrialRecord } from '../records/schema.ts';
import { casesOfComparison, casesOfRun } from './junit.ts';

const fixed = { kind: 'fixed', loads: [100], repetitions: 2, emphasis: 'held' } as const;

/** A trial whose limits are those of the run, with the p99 as given. */
function trial(number: number, p99: number, changes: Partial<TrialRecord> = {}): TrialRecord {
  const limits = [
    { expression: 'p99<250ms', held: p99 < 250, observed: p99 },
    { expression: 'lost=0', held: true, observed: 0 },
  ];
  const outcome = p99 < 250 ? 'pass' : 'fail';
  return trialFixture(number, 100, p99, {
    outcome,
    loadtest: loadtestFixture(100, p99, { limits }),
    ...changes,
  });
}

test('names and messages of any content stay text, and characters that XML has not are replaced', () => {
  const hostile = `</testcase>&"'<![CDATA[ ]]> a\nb\t\0\u001b[31m \ud800 \uffff ✓ 😀`;
  const expected = `&lt;/testcase&gt;&amp;&quot;&apos;&lt;![CDATA[ ]]&gt; a&#10;b&#9;��[31m � � ✓ 😀`;
  assert.equal(escaped(hostile), expected);
  const outcomes = ['passed', 'failed', 'error', 'skipped'] as const;
  const cases = outcomes.map((outcome) => ({ classname: hostile, name: hostile, outcome, message: hostile }));
  const head = `    <testcase classname="${expected}" name="${expected}">`;
  assert.equal(
    junitXml(hostile, 1.5, cases),
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites>',
      `  <testsuite name="${expected}" tests="4" failures="1" errors="1" skipped="1" time="1.5">`,
      `${head}<system-out>${expected}</system-out></testcase>`,
      `${head}<failure message="${expected}"/></testcase>`,
      `${head}<error message="${expected}"/></testcase>`,
      `${head}<skipped message="${expected}"/></testcase>`,
      '  </testsuite>',
      '</testsuites>',
      '',
    ].join('\n'),
  );
});

const brief = (run: Parameters<typeof casesOfRun>[0]) =>
  casesOfRun(run).map(({ classname, name, outcome, message }) =>
    [classname, name, outcome, message].join(' | '),
  );

test('at fixed loads each variant, load and limit is a case, which fails where one trial broke it', () => {
  const run = runFixture([variantFixture('01-naive')], [trial(1, 40), trial(2, 300)], {
    shape: 'fixed-load',
    method: fixed,
  });
  assert.deepEqual(brief(run), [
    '001-ladder.01-naive | p99<250ms at 100 | failed | observed 40, 300',
    '001-ladder.01-naive | lost=0 at 100 | passed | observed 0, 0',
  ]);
});

test('void trials alone are an error, and so is a failure that no limit explains', () => {
  const of = (...trials: TrialRecord[]) =>
    brief(runFixture([variantFixture('01-naive')], trials, { shape: 'fixed-load', method: fixed }));
  assert.deepEqual(of(trial(1, 40, { outcome: 'void', reasons: ['it sent late'] })), [
    '001-ladder.01-naive | is measured at 100 | error | it sent late',
  ]);
  const died = trial(1, 40, { outcome: 'fail', reasons: ['the server failed: it ended'] });
  assert.equal(of(died).at(-1), '001-ladder.01-naive | holds at 100 | failed | the server failed: it ended');
});

test('of a capacity, the trial of the answer stands for the variant; without a pass the lowest load does', () => {
  const [low, high] = [trial(1, 40), trial(2, 900)];
  const variants = [variantFixture('01-naive'), variantFixture('05-backplane', { error: 'no start' })];
  const skipped = [{ name: '04-cores', reason: 'it needs cores', ways: [] }];
  assert.deepEqual(brief(runFixture(variants, [low, high], { skipped })), [
    '001-ladder.04-cores | is measured | skipped | it needs cores',
    '001-ladder.05-backplane | is measured | error | no start',
    '001-ladder.01-naive | p99<250ms | passed | observed 40',
    '001-ladder.01-naive | lost=0 | passed | observed 0',
  ]);
  const [first] = brief(runFixture([variantFixture('01-naive')], [high]));
  assert.equal(first, '001-ladder.01-naive | p99<250ms | failed | observed 900');
});

test('of a comparison, the rows that decide are cases, and only worse fails', () => {
  const row = { variant: '01-naive', metric: 'messages/s', unit: 'number', a: 100, b: 50 } as const;
  const rest = { ratio: { low: 0.4, middle: 0.5, high: 0.6 }, doubts: null, margin: 0.05, p: 0.01 };
  const judgement = (verdict: Judgement['verdict'], changes: Partial<Judgement> = {}): Judgement => {
    return { ...row, ...rest, verdict, decides: true, ...changes };
  };
  const rows = [
    judgement('worse'),
    judgement('better'),
    judgement('unknown', { why: 'no trial', isVoid: true }),
    judgement('worse', { decides: false }),
  ];
  const cases = casesOfComparison('001-ladder', rows);
  assert.deepEqual(
    cases.map(({ outcome }) => outcome),
    ['failed', 'passed', 'error'],
  );
  assert.deepEqual(cases[0], {
    classname: '001-ladder.01-naive',
    name: 'messages/s against the baseline',
    outcome: 'failed',
    message: 'worse: 100 → 50, b ÷ a 0.5 (0.4–0.6)',
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registry } from '../../registry.ts';
import { InputError } from '../input-error.ts';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, LoadRunRecord } from '../records/schema.ts';
import { comparisonReport } from '../report/comparison.ts';
import { compareRuns } from './comparing.ts';

const around = [50, 80, 90, 95, 105, 110, 120, 150];

/** A search with its edge at that load. */
function found(edge: number, changes: Partial<LoadRunRecord> = {}, name = '01-naive'): LoadRun {
  const trials = around.flatMap((percent, index) => {
    const [load, outcome] = [(edge * percent) / 100, percent < 100 ? 'pass' : 'fail'] as const;
    return [1, 2].map((half) => trialFixture(2 * index + half, load, 50, { variant: name, outcome }));
  });
  return runFixture([variantFixture(name, { answer: answerFixture(edge) })], trials, changes);
}

function fixed(p99s: readonly number[]): LoadRun {
  const method = { kind: 'fixed', loads: [100], repetitions: p99s.length, emphasis: 'held' } as const;
  const trials = p99s.map((p99, index) => trialFixture(index + 1, 100, p99, { purpose: 'fixed' }));
  return runFixture([variantFixture('01-naive')], trials, { shape: 'fixed-load', method });
}

const compare = (a: LoadRun, b: LoadRun, anyway = false) =>
  compareRuns(a, b, { registry, noise: [], anyway });
const refusal = (a: LoadRun, b: LoadRun, anyway = false) => {
  try {
    compare(a, b, anyway);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  return null;
};

test('worse is exit code 1; better and noise are 0', () => {
  assert.equal(compare(found(200), found(100)).exitCode, 1);
  assert.equal(compare(found(100), found(200)).exitCode, 0);
  assert.equal(compare(found(100), found(103)).exitCode, 0);
});

test('a search and fixed loads are refused, and compared anyway only at loads that both tried', () => {
  assert.equal(
    refusal(found(200), fixed([40, 41])),
    'Run both with --loads, or both without: required the same kind of run; given searched capacity and fixed loads.\nOr add --anyway to compare, which says what differs.',
  );
  const { content, exitCode } = compare(found(200), fixed([400, 410, 405]), true);
  assert.deepEqual(
    content.rows.map(({ metric, verdict }) => [metric, verdict]),
    [
      ['failed trials', 'noise'],
      ['p99 latency', 'worse'],
      ['memory', 'noise'],
    ],
  );
  assert.equal(exitCode, 1);
  assert.match(refusal(found(7), fixed([40, 41]), true)!, /a variant and a load in common: required one/);
});

test('runs of two machines are refused at once, and compared anyway with the differences on top', () => {
  const { environment } = found(100).record;
  const elsewhere = found(100, { environment: { ...environment, cpuModel: 'Other' }, target: 'container' });
  assert.match(
    refusal(found(100), elsewhere)!,
    /CPU model; given Test CPU and Other\.\n.*--target.*\nOr add --anyway/,
  );
  const text = comparisonReport(compare(found(100), elsewhere, true).content);
  assert.match(
    text,
    /^Not alike, CPU model: Test CPU in a, Other in b\.\nNot alike, target: process in a, container in b\.\n/,
  );
});

test('runs of two experiments, or without a common variant, cannot be compared at all', () => {
  assert.match(
    refusal(found(100), found(100, { experiment: '003-crowd' }), true)!,
    /^Compare runs of one experiment: required the same twice; given 001-ladder and 003-crowd\.$/,
  );
  assert.match(
    refusal(found(100), found(100, {}, '03-cursor'), true)!,
    /given .*\(01-naive\) and .*\(03-cursor\)\.$/,
  );
});

test('variants of one run only are named, and so is an interruption', () => {
  const both = found(100);
  both.record.variants.push(variantFixture('04-cores'));
  const { notes } = compare(both, found(100, { interrupted: true })).content;
  assert.match(notes.join('\n'), /^Only in \S+: 04-cores$/m);
  assert.match(notes.join('\n'), /^b: .*it was interrupted$/m);
});

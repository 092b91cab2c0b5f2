import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, TrialRecord, VariantRecord } from '../records/schema.ts';
import { capacityFindings } from './finding.ts';
import { mergeRuns } from './merge-runs.ts';
import { precisionOf } from './threshold.ts';

/** A search of one variant around 100. */
function part(changes: Partial<VariantRecord> = {}, name = '01-naive'): LoadRun {
  const trials = [80, 90, 110, 125].map((load, index) =>
    trialFixture(index + 1, load, 50, { variant: name, outcome: load < 100 ? 'pass' : 'fail' }),
  );
  return runFixture([variantFixture(name, { answer: answerFixture(50), ...changes })], trials);
}

test('two searches of a variant are one answer, which follows from all trials and is narrower', () => {
  const merged = mergeRuns([part(), part()], 'both') as LoadRun;
  assert.equal(merged.record.run, 'both');
  assert.deepEqual(
    merged.trials.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  const [variant, ...others] = merged.record.variants;
  assert.deepEqual(others, []);
  const { threshold, trials } = variant!.answer!;
  assert.equal(trials, 12);
  assert.ok(threshold!.capacity.middle > 90 && threshold!.capacity.middle < 110);
  const [single] = capacityFindings(part());
  assert.ok(precisionOf(threshold!.capacity) < precisionOf(single!.threshold!.capacity));
});

test('the starts of a variant are counted on from part to part', () => {
  const starts = mergeRuns([part(), part({}, '03-cursor'), part()], 'all').trials.map(
    (trial) => `${trial.variant} ${(trial as TrialRecord).serverStart}`,
  );
  assert.deepEqual([...new Set(starts)], ['01-naive 1', '03-cursor 1', '01-naive 2']);
});

test('variants stay apart, times add up, and a failure or an interruption of a part is one of the whole', () => {
  const failed = part({ error: 'it did not start', answer: null });
  const interrupted = { ...part({}, '03-cursor') };
  interrupted.record.interrupted = true;
  const { record } = mergeRuns([part(), failed, interrupted], 'all');
  assert.deepEqual(
    record.variants.map(({ name, error }) => [name, error]),
    [
      ['01-naive', 'it did not start'],
      ['03-cursor', null],
    ],
  );
  assert.deepEqual([record.seconds, record.interrupted], [180, true]);
});

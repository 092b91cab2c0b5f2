import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun } from '../records/schema.ts';
import { compareCapacities, compareFixedLoads } from './compare.ts';

/** A run that found `capacity`; the load above it failed. */
function found(capacity: number | null, ceiling: number, alsoPassed: number[] = []): LoadRun {
  const passes =
    capacity === null ? [] : [1, 2, 3].map((number) => trialFixture(number, capacity, 50 + number));
  const lucky = alsoPassed.map((load, index) => trialFixture(10 + index, load, 90));
  const above = trialFixture(20, ceiling, 900, { outcome: 'fail' });
  return runFixture(
    [variantFixture('01-naive', { answer: answerFixture(capacity, ceiling) })],
    [...passes, ...lucky, above],
  );
}

function fixed(p99s: number[]): LoadRun {
  const trials = p99s.map((p99, index) => trialFixture(index + 1, 100, p99, { purpose: 'fixed' }));
  const method = { kind: 'fixed', loads: [100], repetitions: p99s.length, emphasis: 'held' } as const;
  return runFixture([variantFixture('01-naive')], trials, { method });
}

const capacityVerdict = (a: LoadRun, b: LoadRun) =>
  compareCapacities(a, b).find(({ decides }) => decides)!.verdict;
const latencyVerdict = (a: number[], b: number[]) => compareFixedLoads(fixed(a), fixed(b))[0]!.verdict;

test('capacities whose edges lie apart differ; those whose zones touch are noise', () => {
  assert.equal(capacityVerdict(found(100, 110), found(150, 165)), 'better');
  assert.equal(capacityVerdict(found(150, 165), found(100, 110)), 'worse');
  assert.equal(capacityVerdict(found(100, 110), found(105, 116)), 'noise');
  assert.equal(capacityVerdict(found(100, 110), found(100, 110)), 'noise');
});

test('the same difference is noise where a load both passed and failed', () => {
  assert.equal(capacityVerdict(found(100, 110, [160]), found(150, 165)), 'noise');
});

test('a capacity only in a is worse, one only in b is better, none in both is unknown', () => {
  assert.equal(capacityVerdict(found(100, 110), found(null, 110)), 'worse');
  assert.equal(capacityVerdict(found(null, 110), found(100, 110)), 'better');
  assert.equal(capacityVerdict(found(null, 110), found(null, 110)), 'unknown');
});

test('fixed loads differ when the spread of three repetitions cannot explain it', () => {
  assert.equal(latencyVerdict([10, 11, 10.5], [20, 21, 20.5]), 'worse');
  assert.equal(latencyVerdict([20, 21, 20.5], [10, 11, 10.5]), 'better');
  assert.equal(latencyVerdict([10, 40, 20], [15, 50, 30]), 'noise');
});

test('a single repetition has no spread, and no verdict', () => {
  assert.equal(latencyVerdict([10], [100]), 'unknown');
});

test('the ratio is b ÷ a, within its own bounds', () => {
  const { ratio } = compareCapacities(found(100, 110), found(150, 165))[0]!;
  assert.deepEqual(ratio, { middle: 1.5, low: 150 / 110, high: 1.65 });
});

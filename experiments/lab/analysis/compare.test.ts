import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun } from '../records/schema.ts';
import { compareCapacities, compareFixedLoads } from './compare.ts';

/** A run whose trials pass up to `capacity` and fail above it; `exceptions` had the other outcome. */
function found(capacity: number | null, exceptions: readonly number[] = []): LoadRun {
  const loads = [50, 80, 90, 95, 100, 105, 110, 120, 130, 140, 145, 150, 160, 170, 200].flatMap((load) => [
    load,
    load,
  ]);
  const trials = [...loads, ...exceptions].map((load, index) => {
    const passes = index >= loads.length ? load > (capacity ?? 0) : load <= (capacity ?? 0);
    return trialFixture(index + 1, load, passes ? 50 : 900, { outcome: passes ? 'pass' : 'fail' });
  });
  return runFixture([variantFixture('01-naive', { answer: answerFixture(capacity) })], trials);
}

function fixed(p99s: number[]): LoadRun {
  const trials = p99s.map((p99, index) => trialFixture(index + 1, 100, p99, { purpose: 'fixed' }));
  const method = { kind: 'fixed', loads: [100], repetitions: p99s.length, emphasis: 'held' } as const;
  return runFixture([variantFixture('01-naive')], trials, { method });
}

const capacityVerdict = (a: LoadRun, b: LoadRun) =>
  compareCapacities(a, b).find(({ decides }) => decides)!.verdict;
const latencyVerdict = (a: number[], b: number[]) => compareFixedLoads(fixed(a), fixed(b))[0]!.verdict;

test('capacities differ when the interval of their ratio leaves 1 out', () => {
  assert.equal(capacityVerdict(found(100), found(150)), 'better');
  assert.equal(capacityVerdict(found(150), found(100)), 'worse');
  assert.equal(capacityVerdict(found(100), found(105)), 'noise');
  assert.equal(capacityVerdict(found(100), found(100)), 'noise');
});

test('the same difference is noise where many loads beyond the edge passed', () => {
  assert.equal(capacityVerdict(found(110, [120, 120, 130, 140, 150, 160, 170]), found(130)), 'noise');
});

test('a capacity only in a is worse, one only in b is better, none in both is unknown', () => {
  assert.equal(capacityVerdict(found(100), found(null)), 'worse');
  assert.equal(capacityVerdict(found(null), found(100)), 'better');
  assert.equal(capacityVerdict(found(null), found(null)), 'unknown');
});

test('fixed loads differ when the spread of three repetitions cannot explain it', () => {
  assert.equal(latencyVerdict([10, 11, 10.5], [20, 21, 20.5]), 'worse');
  assert.equal(latencyVerdict([20, 21, 20.5], [10, 11, 10.5]), 'better');
  assert.equal(latencyVerdict([10, 40, 20], [15, 50, 30]), 'noise');
});

test('a single repetition has no spread, and no verdict', () => {
  assert.equal(latencyVerdict([10], [100]), 'unknown');
});

test('the ratio is b ÷ a, with its interval', () => {
  const { ratio } = compareCapacities(found(100), found(150))[0]!;
  assert.ok(Math.abs(ratio!.middle - 1.5) < 0.1, String(ratio!.middle));
  assert.ok(
    ratio!.low < 1.5 && 1.5 < ratio!.high && ratio!.low > 1.2 && ratio!.high < 1.8,
    JSON.stringify(ratio),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, TrialOutcome } from '../records/schema.ts';
import { compareCapacities, compareFailures, compareFixedLoads } from './compare.ts';
import { exitCodeOfComparison, judge } from './judge.ts';

const tried = [50, 80, 90, 95, 100, 105, 110, 120, 130, 140, 145, 150, 160, 170, 200];

/** A run whose trials pass up to `capacity` and fail above it; `exceptions` had the other outcome. */
function found(
  capacity: number,
  exceptions: readonly number[] = [],
  loads: readonly number[] = tried,
): LoadRun {
  const twice = loads.flatMap((load) => [load, load]);
  return judged([
    ...twice.map((load) => [load, load <= capacity ? 'pass' : 'fail'] as const),
    ...exceptions.map((load) => [load, load <= capacity ? 'fail' : 'pass'] as const),
  ]);
}

function judged(trials: readonly (readonly [load: number, outcome: TrialOutcome])[]): LoadRun {
  return runFixture(
    [variantFixture('01-naive', { answer: answerFixture(100) })],
    trials.map(([load, outcome], index) =>
      trialFixture(index + 1, load, outcome === 'pass' ? 50 : 900, { outcome }),
    ),
  );
}

function fixed(p99s: number[], outcome: TrialOutcome = 'pass'): LoadRun {
  const changes = { purpose: 'fixed', outcome } as const;
  const trials = p99s.map((p99, index) => trialFixture(index + 1, 100, p99, changes));
  const method = { kind: 'fixed', loads: [100], repetitions: p99s.length, emphasis: 'held' } as const;
  return runFixture([variantFixture('01-naive')], trials, { method });
}

const capacityRow = (a: LoadRun, b: LoadRun, margin = 0.05) =>
  judge(compareCapacities(a, b), () => margin).find(({ decides }) => decides)!;
const capacityVerdict = (a: LoadRun, b: LoadRun, margin?: number) => capacityRow(a, b, margin).verdict;
const latencyRow = (a: number[], b: number[], margin = 0.05) =>
  judge(compareFixedLoads(fixed(a), fixed(b)), () => margin).find(({ metric }) => metric === 'p99 latency')!;

test('capacities differ when their ratio is beyond the margin', () => {
  assert.equal(capacityVerdict(found(100), found(150)), 'better');
  assert.equal(capacityVerdict(found(150), found(100)), 'worse');
  assert.equal(capacityVerdict(found(100), found(105)), 'noise');
  assert.equal(capacityVerdict(found(100), found(100)), 'noise');
});

test('what runs of the same code differ by is no verdict, however sharp both edges are', () => {
  assert.equal(capacityVerdict(found(150), found(100), 0.1), 'worse');
  assert.equal(capacityVerdict(found(150), found(100), 0.6), 'noise');
  assert.equal(latencyRow([10, 11, 10.5], [20, 21, 20.5], 1.2).verdict, 'noise');
});

test('the same difference is noise where many loads beyond the edge passed', () => {
  assert.equal(capacityVerdict(found(110, [120, 120, 130, 140, 150, 160, 170]), found(130)), 'noise');
});

test('no capacity in b is worse, none in a better, and none in both has no verdict', () => {
  assert.equal(capacityVerdict(found(100), found(0)), 'worse');
  assert.equal(capacityVerdict(found(0), found(100)), 'better');
  const none = capacityRow(found(0), found(0));
  assert.deepEqual([none.verdict, none.why], ['unknown', 'no trial passed']);
});

test('a lower bound can be exceeded and fallen short of, but it claims nothing above itself', () => {
  const atLeast = found(200, [], [50, 100, 200]);
  const row = capacityRow(atLeast, found(100));
  assert.deepEqual([row.a, row.atLeast, row.verdict, row.ratio], [row.a, ['a'], 'worse', null]);
  assert.ok(row.a! > 150 && row.a! <= 200, String(row.a));
  assert.equal(capacityVerdict(found(100), atLeast), 'better');
  const low = found(50, [], [30, 50]);
  // Nothing above 50 was tried in a: that b carries 100 makes it neither better nor worse.
  assert.equal(capacityRow(low, found(100)).why, 'a is a lower bound, and no claim beyond it');
  assert.deepEqual(capacityVerdict(found(100), low), 'unknown');
  assert.equal(capacityRow(atLeast, low).why, 'both are lower bounds');
});

test('a side without a judged trial is void, and not worse: exit code 3', () => {
  const voids = judged([100, 100, 90].map((load) => [load, 'void'] as const));
  const rows = judge(compareCapacities(found(100), voids), () => 0);
  assert.deepEqual([rows[0]!.verdict, rows[0]!.why], ['unknown', 'no trial of b could be judged']);
  assert.equal(exitCodeOfComparison(rows), 3);
  assert.equal(exitCodeOfComparison(judge(compareFixedLoads(fixed([9]), fixed([9], 'void')), () => 0)), 3);
});

test('only a row that decides and is worse gives exit code 1', () => {
  const rows = judge(compareCapacities(found(150), found(100)), () => 0);
  assert.equal(exitCodeOfComparison(rows), 1);
  assert.equal(exitCodeOfComparison(rows.map((row) => ({ ...row, decides: false }))), 0);
  assert.equal(exitCodeOfComparison(judge(compareCapacities(found(100), found(150)), () => 0)), 0);
});

test('fixed loads differ when the spread of three repetitions cannot explain it', () => {
  assert.equal(latencyRow([10, 11, 10.5], [20, 21, 20.5]).verdict, 'worse');
  assert.equal(latencyRow([20, 21, 20.5], [10, 11, 10.5]).verdict, 'better');
  assert.equal(latencyRow([10, 40, 20], [15, 50, 30]).verdict, 'noise');
});

test('a single repetition has no spread, and no verdict', () => {
  const { verdict, why, a, b } = latencyRow([10], [100]);
  assert.deepEqual([verdict, why], ['unknown', 'one sample, no verdict']);
  assert.ok(Math.abs(a! - 10) < 1e-9 && Math.abs(b! - 100) < 1e-9);
});

test('failed trials are compared by Fisher’s exact test', () => {
  const trials = (failed: number, all: number) =>
    Array.from({ length: all }, (_, index) => ({ outcome: index < failed ? 'fail' : 'pass' }));
  const verdict = (a: [number, number], b: [number, number]) => {
    const [row] = judge([compareFailures('x', trials(...a), trials(...b))], () => 0);
    return [row!.verdict, row!.p && Number(row!.p.toFixed(4))];
  };
  // 1 way of C(8, 4) = 70, on two sides.
  assert.deepEqual(verdict([0, 4], [4, 4]), ['worse', 0.0286]);
  assert.deepEqual(verdict([4, 4], [0, 4]), ['better', 0.0286]);
  assert.deepEqual(verdict([0, 3], [3, 3]), ['noise', 0.1]);
  assert.deepEqual(verdict([1, 4], [2, 4]), ['noise', 1]);
  assert.deepEqual(verdict([0, 1], [1, 1]), ['unknown', null]);
});

test('the more rows decide, the more each must show; rows that only explain do not count', () => {
  const [row] = compareCapacities(found(150), found(100));
  const doubtful = { ...row!, doubts: () => ({ worse: 0.01, better: 0.99 }) };
  const unsuspicious = { ...row!, doubts: () => ({ worse: 0.5, better: 0.5 }) };
  const verdictBeside = (others: number, decides: boolean) => {
    const beside = Array.from({ length: others }, () => ({ ...unsuspicious, decides }));
    return judge([doubtful, ...beside], () => 0)[0]!.verdict;
  };
  assert.equal(verdictBeside(1, true), 'worse');
  assert.equal(verdictBeside(2, true), 'noise');
  assert.equal(verdictBeside(2, false), 'worse');
});

test('the ratio is b ÷ a, with its interval', () => {
  const { ratio } = compareCapacities(found(100), found(150))[0]!;
  assert.ok(Math.abs(ratio!.middle - 1.5) < 0.1, String(ratio!.middle));
  assert.ok(
    ratio!.low < 1.5 && 1.5 < ratio!.high && ratio!.low > 1.2 && ratio!.high < 1.8,
    JSON.stringify(ratio),
  );
});

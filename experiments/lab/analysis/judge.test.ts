/** Comparisons of a server with itself, simulated from the model of the threshold. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { CapacityMethod, LoadRun, TrialOutcome } from '../records/schema.ts';
import { searchCapacity } from './capacity-search.ts';
import { type Comparison, compareCapacities, compareSpread } from './compare.ts';
import { judge } from './judge.ts';
import { seeded } from './random.ts';

const method: CapacityMethod = {
  kind: 'capacity',
  start: 100,
  loadMin: 1,
  loadMax: 100_000,
  precision: 0.15,
  trialsMax: 10,
};
const slopes = [0.02, 0.05, 0.1, 0.2];
const lapse = 0.02;
/** Of each slope; each is compared with its neighbour and with the third after it. */
const runsOfSlope = 10;
const rowsOfComparison = 5;
const comparisons = 2000;
/** Fewer, because they are drawn from some eighty rows whose probabilities take long to compute. */
const capacityComparisons = 300;

/** A run of one search, whose outcomes are drawn from the model. */
async function simulated(seed: number, capacity: number, slope: number): Promise<LoadRun> {
  const random = seeded(seed);
  const trials: { load: number; outcome: TrialOutcome }[] = [];
  await searchCapacity(method, async (load) => {
    const passes = random() < (1 - lapse) / (1 + (load / capacity) ** (1 / slope));
    trials.push({ load, outcome: passes ? 'pass' : 'fail' });
    return trials.at(-1)!.outcome;
  });
  const records = trials.map(({ load, outcome }, index) =>
    trialFixture(index + 1, load, outcome === 'pass' ? 50 : 900, { outcome }),
  );
  return runFixture([variantFixture('01-naive')], records, { method });
}

const rowOf = (a: LoadRun, b: LoadRun) => compareCapacities(a, b).find(({ decides }) => decides)!;

/** How many comparisons of that many rows say worse; `draw` makes a row. */
function countWorse(comparisons: number, rows: number, draw: () => Comparison): number {
  let worse = 0;
  for (let comparison = 0; comparison < comparisons; comparison++) {
    const drawn = Array.from({ length: rows }, draw);
    if (judge(drawn, () => 0).some(({ verdict }) => verdict === 'worse')) worse += 1;
  }
  return worse;
}

describe('ten comparisons of a server with itself say worse at most once, without any margin', () => {
  for (const rows of [1, rowsOfComparison])
    test(`of ${rows} fixed loads with three repetitions each`, () => {
      const random = seeded(rows);
      const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const repetitions = () => [1, 2, 3].map(() => 20 * Math.exp(0.2 * normal()));
      const label = { variant: 'x', metric: 'p99', unit: 'ms' } as const;
      const draw = () => compareSpread(label, 'lower', repetitions(), repetitions(), (ms) => ms);
      const worse = countWorse(comparisons, rows, draw);
      assert.ok(worse > 0 && worse <= comparisons / 10, `${worse} of ${comparisons}`);
    });

  test(`of one and of ${rowsOfComparison} capacities, each of a search of ten trials`, async () => {
    const rowsOfSlope: Comparison[][] = [];
    for (const [index, slope] of slopes.entries()) {
      const runs: LoadRun[] = [];
      for (let seed = 1; seed <= runsOfSlope; seed++)
        runs.push(await simulated(1000 * index + seed, 400 * 2 ** index, slope));
      const after = (at: number) => runs[at % runs.length]!;
      rowsOfSlope.push(runs.flatMap((a, at) => [rowOf(a, after(at + 1)), rowOf(a, after(at + 3))]));
    }
    const random = seeded(1);
    const oneOf = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
    for (const rows of [1, rowsOfComparison]) {
      const worse = countWorse(capacityComparisons, rows, () => oneOf(oneOf(rowsOfSlope)));
      assert.ok(worse <= capacityComparisons / 10, `${worse} of ${capacityComparisons} with ${rows} rows`);
    }
    for (const [index, rows] of rowsOfSlope.entries()) {
      const worse = rows.filter((row) => judge([row], () => 0)[0]!.verdict === 'worse').length;
      assert.ok(worse <= rows.length / 10, `s = ${slopes[index]}: ${worse} of ${rows.length}`);
    }
  });
});

test('a capacity that fell to a third is found worse in most comparisons, and never better', async () => {
  for (const slope of slopes) {
    const verdicts = new Map<string, number>();
    for (let seed = 1; seed <= 8; seed++) {
      const [a, b] = [await simulated(seed, 400, slope), await simulated(seed + 100, 133, slope)];
      const [row] = judge([rowOf(a, b)], () => 0.05);
      verdicts.set(row!.verdict, (verdicts.get(row!.verdict) ?? 0) + 1);
    }
    assert.ok((verdicts.get('worse') ?? 0) >= 6, `s = ${slope}: ${JSON.stringify([...verdicts])}`);
    assert.equal(verdicts.get('better'), undefined);
  }
});

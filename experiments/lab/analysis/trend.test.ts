import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from './random.ts';
import { rateOf, slopeOf } from './trend.ts';

const z90 = 1.645;
const windows = 30;
const runs = 300;
const xs = Array.from({ length: windows }, (_, index) => index);

/** Values that rise by `slope`; each error keeps that share of the one before it. */
function series(slope: number, kept: number, random: () => number): number[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let error = normal() / Math.sqrt(1 - kept ** 2);
  return xs.map((x) => {
    error = kept * error + normal();
    return slope * x + error;
  });
}

for (const kept of [0, 0.3, 0.6])
  test(`of ${runs} series whose errors keep ${kept} of the one before, the intervals hold the slope in 85 %`, () => {
    const random = seeded(3);
    let held = 0;
    let wrong = 0;
    for (let run = 0; run < runs; run++) {
      const { low, high } = slopeOf(xs, series(0.5, kept, random), z90)!;
      held += Number(low <= 0.5 && 0.5 <= high);
      wrong += Number(slopeOf(xs, series(0, kept, random), z90)!.low > 0);
    }
    assert.ok(held >= 0.85 * runs, `${held} of ${runs}`);
    // Of flat series, one in twenty seems to rise.
    assert.ok(wrong <= 0.08 * runs, `${wrong} of ${runs}`);
  });

test('a single outlier does not move the slope, and a constant has none', () => {
  const ys = xs.map((x) => (x === 20 ? 1e6 : 2 * x));
  assert.equal(slopeOf(xs, ys, z90)!.middle, 2);
  const constant = slopeOf(
    xs,
    xs.map(() => 7),
    z90,
  );
  assert.deepEqual(constant, { low: 0, middle: 0, high: 0 });
  assert.equal(slopeOf(xs.slice(0, 9), ys.slice(0, 9), z90), null);
});

test('a rate of events has the exact interval of a Poisson count', () => {
  const round = ({ low, middle, high }: { low: number; middle: number; high: number }) =>
    [low, middle, high].map((value) => Number(value.toFixed(3)));
  // Garwood's table: 0 events up to 2.996, 5 events 1.970 to 10.513.
  assert.deepEqual(round(rateOf(0, 1)), [0, 0, 2.996]);
  assert.deepEqual(round(rateOf(5, 1)), [1.97, 5, 10.513]);
  assert.deepEqual(round(rateOf(5, 0.5)), [3.94, 10, 21.026]);
});

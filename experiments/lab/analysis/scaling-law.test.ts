import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadEstimate } from '../records/schema.ts';
import { seeded } from './random.ts';
import { fitScaling, type ScalingPoint, scalingFindings } from './scaling-law.ts';
import { posteriorOf } from './threshold.ts';

type Truth = { lambda: number; sigma: number; kappa: number };

const runs = 60;
/** Of 90 % intervals. */
const shareMin = 0.85;
const trialsPerCount = 14;
const slope = 0.05;

function capacityOf({ lambda, sigma, kappa }: Truth, count: number): number {
  return (lambda * count) / (1 + sigma * (count - 1) + kappa * count * (count - 1));
}

/** The posterior of trials around the true capacity, as a search makes them; each is drawn from the model. */
function measured(truth: Truth, count: number, random: () => number): ScalingPoint {
  const capacity = capacityOf(truth, count);
  const judged = Array.from({ length: trialsPerCount }, () => {
    const load = capacity * Math.exp(3 * slope * (2 * random() - 1));
    return { load, passed: random() < 0.98 / (1 + (load / capacity) ** (1 / slope)) };
  });
  return { count, posterior: posteriorOf(judged, { loadMin: capacity / 2, loadMax: capacity * 2 }) };
}

const holds = ({ low, high }: LoadEstimate, value: number) => low <= value && value <= high;

for (const [name, truth, counts] of [
  ['contention and coherence', { lambda: 10_000, sigma: 0.1, kappa: 0.02 }, [1, 2, 4, 8]],
  ['coherence alone', { lambda: 500, sigma: 0, kappa: 0.05 }, [1, 2, 3, 4]],
  ['contention alone', { lambda: 90_000, sigma: 0.3, kappa: 0 }, [1, 2, 3, 4]],
  ['neither, with three counts', { lambda: 2000, sigma: 0, kappa: 0 }, [1, 2, 3]],
] as const)
  test(`of ${runs} servers with ${name}, the intervals hold the truth in at least 85 %`, () => {
    const random = seeded(7);
    const held = { lambda: 0, sigma: 0, kappa: 0, peak: 0, most: 0 };
    const most = counts.at(-1)!;
    const { sigma, kappa } = truth;
    const peak = kappa === 0 ? Number.POSITIVE_INFINITY : Math.sqrt((1 - sigma) / kappa);
    for (let run = 0; run < runs; run++) {
      const law = fitScaling(
        counts.map((count) => measured(truth, count, random)),
        run,
      )!;
      held.lambda += Number(holds(law.lambda, truth.lambda));
      held.sigma += Number(holds(law.sigma, sigma));
      held.kappa += Number(holds(law.kappa, kappa));
      held.peak += Number(holds(law.peak, peak));
      held.most += Number(holds(law.at(most), capacityOf(truth, most)));
    }
    for (const [figure, times] of Object.entries(held))
      assert.ok(times >= shareMin * runs, `${figure}: ${times} of ${runs}`);
  });

test('fewer than three distinct counts have no law, and the same seed gives the same one', () => {
  const truth = { lambda: 1000, sigma: 0.1, kappa: 0.02 };
  const points = [1, 2, 4].map((count) => measured(truth, count, seeded(count)));
  assert.equal(fitScaling([points[0]!, points[1]!, points[1]!], 1), null);
  const [one, again, other] = [1, 1, 2].map((seed) => fitScaling(points, seed)!);
  assert.deepEqual(one!.sigma, again!.sigma);
  assert.notDeepEqual(one!.sigma, other!.sigma);
});

test('variants without a known capacity are left out of the law of their group, and named', () => {
  const counts = [1, 2, 3, 4];
  const variants = counts.map((count) =>
    variantFixture(`${count} nodes`, { scale: { of: 'nodes', count, group: 'one room' } }),
  );
  const trials = counts.flatMap((count) => {
    const changes = { variant: `${count} nodes` };
    const at = (load: number) => trialFixture(1, load, 50, changes);
    const failed = { ...changes, outcome: 'fail' as const };
    // All trials of four nodes passed: their capacity is a lower bound only.
    return count === 4
      ? [at(4000)]
      : [at(1000 * count), at(1020 * count), trialFixture(2, 1100 * count, 300, failed)];
  });
  const [finding, ...others] = scalingFindings(runFixture(variants, trials));
  assert.equal(others.length, 0);
  assert.deepEqual(finding!.leftOut, [4]);
  assert.equal(finding!.group, 'one room');
  assert.ok(holds(finding!.law!.at(2), 2100));
  const unscaled = variants.map(({ scale: _, ...variant }) => variant);
  assert.deepEqual(scalingFindings(runFixture(unscaled, trials)), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CapacityMethod, TrialOutcome } from '../records/schema.ts';
import { searchCapacity } from './capacity-search.ts';

const plan: CapacityMethod = {
  kind: 'capacity',
  start: 64,
  growth: 4,
  tolerance: 0.1,
  confirmations: 3,
  trialsMax: 60,
  loadMin: 1,
  loadMax: 1_000_000,
};

/** A response curve that records the loads tried. */
function curve(outcomeAt: (load: number, trial: number) => TrialOutcome) {
  const asked: { load: number; outcome: TrialOutcome }[] = [];
  const trial = async (load: number) => {
    const outcome = outcomeAt(load, asked.length);
    asked.push({ load, outcome });
    return outcome;
  };
  return { asked, trial };
}

const stepAt = (edge: number) => curve((load) => (load <= edge ? 'pass' : 'fail'));

test('finds the edge of a step response within the tolerance, from a start on either side', async () => {
  const edges = fc.integer({ min: 1, max: 900_000 });
  const starts = fc.integer({ min: 1, max: 1_000_000 });
  await fc.assert(
    fc.asyncProperty(edges, starts, async (edge, start) => {
      const { asked, trial } = stepAt(edge);
      const answer = await searchCapacity({ ...plan, start }, trial);
      assert.equal(answer.end, 'confirmed');
      assert.ok(answer.capacity! <= edge && edge < answer.ceiling!);
      const neighbours = answer.ceiling! - answer.capacity! === 1;
      assert.ok(neighbours || answer.ceiling! / answer.capacity! <= 1.1);
      assert.equal(answer.trials, asked.length);
      assert.ok(asked.slice(-3).every((one) => one.load === answer.capacity && one.outcome === 'pass'));
    }),
  );
});

test('a noisy response still ends, with a load that passed every confirmation and one above it that did not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 100_000 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 }),
      async (edge, noise) => {
        // Passing gets unlikely gradually: certain at 0.7 of the edge, impossible at 1.3 of it.
        const { asked, trial } = curve((load, index) =>
          noise[index]! < Math.min(1, Math.max(0, (1.3 - load / edge) / 0.6)) ? 'pass' : 'fail',
        );
        const answer = await searchCapacity(plan, trial);
        assert.ok(asked.length <= plan.trialsMax);
        if (answer.capacity === null) return assert.match(answer.end, /^(load-min|trials-max)$/);
        assert.ok(
          asked
            .slice(-plan.confirmations)
            .every((one) => one.load === answer.capacity && one.outcome === 'pass'),
        );
        assert.ok(answer.ceiling! > answer.capacity);
        assert.ok(asked.some((one) => one.load === answer.ceiling && one.outcome === 'fail'));
      },
    ),
  );
});

test('a void trial is repeated, and one void trial does not change the answer', async () => {
  const { trial } = curve((load, index) => (index === 2 ? 'void' : load <= 500 ? 'pass' : 'fail'));
  const answer = await searchCapacity(plan, trial);
  assert.equal(answer.end, 'confirmed');
  assert.ok(answer.capacity! <= 500 && answer.capacity! > 450);
});

test('where the instrument fails first, the answer is the highest load that it could judge, and says so', async () => {
  const { trial } = curve((load) => (load <= 3000 ? 'pass' : 'void'));
  const answer = await searchCapacity(plan, trial);
  assert.equal(answer.end, 'instrument');
  assert.ok(answer.capacity! <= 3000 && answer.capacity! > 2700);
});

test('an instrument that fails half of the time costs trials, and does not change the answer', async () => {
  const { trial } = curve((load, index) => (index % 2 === 1 ? 'void' : load <= 500 ? 'pass' : 'fail'));
  const answer = await searchCapacity(plan, trial);
  assert.equal(answer.end, 'confirmed');
  assert.ok(answer.capacity! <= 500 && answer.capacity! > 450);
});

test('a confirmation that fails steps down until a load holds', async () => {
  const seen = new Map<number, number>();
  const { asked, trial } = curve((load) => {
    seen.set(load, (seen.get(load) ?? 0) + 1);
    // Loads between 400 and 500 pass once and then never again.
    return load <= 400 || (load <= 500 && seen.get(load) === 1) ? 'pass' : 'fail';
  });
  const answer = await searchCapacity(plan, trial);
  assert.equal(answer.end, 'confirmed');
  assert.ok(answer.capacity! <= 400 && answer.capacity! > 320, String(answer.capacity));
  assert.ok(asked.some((one) => one.load === answer.ceiling && one.outcome === 'fail'));
});

test('names the cap when everything passes, when everything fails, and when the trials run out', async () => {
  const top = await searchCapacity({ ...plan, loadMax: 5000 }, stepAt(Number.POSITIVE_INFINITY).trial);
  assert.deepEqual([top.end, top.capacity, top.ceiling], ['load-max', 5000, null]);
  const bottom = await searchCapacity(plan, stepAt(0).trial);
  assert.deepEqual([bottom.end, bottom.capacity, bottom.ceiling], ['load-min', null, 1]);
  const short = await searchCapacity({ ...plan, trialsMax: 4 }, stepAt(70).trial);
  assert.deepEqual([short.end, short.capacity, short.highestPass, short.trials], ['trials-max', null, 64, 4]);
});

test('a trial that throws ends the search with that error', async () => {
  const broken = searchCapacity(plan, () => Promise.reject(new Error('no server')));
  await assert.rejects(broken, /no server/);
});

test('a start that is far off costs few trials: the steps of the bracket grow', async () => {
  const far = { ...plan, growth: 1.5, start: 100 };
  const { asked, trial } = stepAt(15_000);
  const answer = await searchCapacity(far, trial);
  assert.equal(answer.end, 'confirmed');
  assert.deepEqual(
    asked.slice(0, 5).map(({ load }) => load),
    [100, 150, 338, 1711, 43_851],
  );
  assert.ok(asked.length <= 14, String(asked.length));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trialFixture } from '../../records/run.fixture.ts';
import type { TrialRecord } from '../../records/schema.ts';
import { search } from './capacity.ts';
import { warmUp } from './warm-up.ts';

/** A server that holds 3,000/s, and whose cost per delivery falls by half with each trial down to a floor. */
function cooling(halvings: number) {
  const loads: number[] = [];
  const trial = async (load: number): Promise<TrialRecord> => {
    loads.push(load);
    const record = trialFixture(loads.length, load, 20);
    record.loadtest!.verdict = load <= 3000 ? 'pass' : 'fail';
    const cost = 2 ** Math.max(0, halvings - loads.length);
    return { ...record, server: { ...record.server!, cpuCores: (load / 3000) * cost } };
  };
  return { loads, trial };
}

test('after the look for the edge, the load that held is offered until its cost is steady', async () => {
  const { loads, trial } = cooling(0);
  const edge = await warmUp({ ...search, start: 100 }, trial);
  assert.deepEqual(edge, { held: 2263, broke: 6400 });
  assert.deepEqual(loads, [100, 800, 6400, 2263, 6400, 6400, 2263, 2263]);
});

test('a load that broke the cold server is offered again once its code is compiled, and then higher ones', async () => {
  const { loads, trial } = cooling(0);
  // Without its quota, which the load that broke is offered without, it compiles.
  let compiled = false;
  const edge = await warmUp({ ...search, start: 8 }, async (load, _, withoutQuota) => {
    const record = await trial(load);
    record.loadtest!.verdict = load <= (compiled ? 3000 : 30) ? 'pass' : 'fail';
    compiled ||= withoutQuota;
    return record;
  });
  assert.deepEqual(loads, [8, 64, 23, 64, 64, 192, 576, 1728, 5184, 2993, 2993, 2993]);
  assert.deepEqual(edge, { held: 2993, broke: 5184 });
});

test('a cost that does not become steady is waited for only so long', async () => {
  const { loads, trial } = cooling(100);
  await warmUp({ ...search, start: 100 }, trial);
  assert.deepEqual(loads.slice(4), [6400, 6400, 2263, 2263, 2263]);
});

test('where nothing holds there is no steady load', async () => {
  const loads: number[] = [];
  const edge = await warmUp({ ...search, start: 16 }, async (load) => {
    loads.push(load);
    return trialFixture(loads.length, load, 900, { outcome: 'fail', loadtest: null });
  });
  assert.deepEqual([edge, loads], [{ held: null, broke: 1 }, [16, 2, 1]]);
});

test('a trial that something else disturbed says enough for a look', async () => {
  const edge = await warmUp({ ...search, start: 100 }, async (load) => {
    const record = trialFixture(1, load, 20, { outcome: 'void', reasons: ['the machine was not quiet'] });
    record.loadtest!.verdict = load <= 3000 ? 'pass' : 'fail';
    return record;
  });
  assert.deepEqual(edge, { held: 2263, broke: 6400 });
});

test('a void look is repeated once, because a cold simulator must not lead the search down', async () => {
  const loads: number[] = [];
  await warmUp({ ...search, start: 100 }, async (load) => {
    loads.push(load);
    const record = trialFixture(loads.length, load, 20);
    record.loadtest!.verdict = loads.length === 1 ? 'void' : load <= 3000 ? 'pass' : 'fail';
    return record;
  });
  assert.deepEqual(loads.slice(0, 4), [100, 100, 800, 6400]);
});

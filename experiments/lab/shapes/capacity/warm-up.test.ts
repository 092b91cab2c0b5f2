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
  assert.deepEqual(edge, { held: 2700, broke: 8100 });
  assert.deepEqual(loads, [100, 100, 300, 900, 2700, 8100, 2700, 2700, 2700]);
});

test('a cost that does not become steady is waited for only so long', async () => {
  const { loads, trial } = cooling(100);
  await warmUp({ ...search, start: 100 }, trial);
  assert.deepEqual(loads.slice(6), [2700, 2700, 2700, 2700]);
});

test('where the edge is near the first load, the code is compiled once', async () => {
  const { loads, trial } = cooling(0);
  await warmUp({ ...search, start: 2000 }, trial);
  assert.deepEqual(loads, [2000, 2000, 6000, 2000, 2000]);
});

test('where nothing holds there is no steady load', async () => {
  const loads: number[] = [];
  const edge = await warmUp({ ...search, start: 16 }, async (load) => {
    loads.push(load);
    return trialFixture(loads.length, load, 900, { outcome: 'fail', loadtest: null });
  });
  assert.deepEqual([edge, loads], [{ held: null, broke: 1 }, [16, 16, 2, 1]]);
});

test('a trial that something else disturbed says enough for a look', async () => {
  const edge = await warmUp({ ...search, start: 100 }, async (load) => {
    const record = trialFixture(1, load, 20, { outcome: 'void', reasons: ['the machine was not quiet'] });
    record.loadtest!.verdict = load <= 3000 ? 'pass' : 'fail';
    return record;
  });
  assert.deepEqual(edge, { held: 2700, broke: 8100 });
});

test('a void look is repeated, because a late simulator must not lead the search down', async () => {
  const loads: number[] = [];
  const seen = new Set<number>();
  const edge = await warmUp({ ...search, start: 8000 }, async (load) => {
    loads.push(load);
    const record = trialFixture(loads.length, load, 20);
    const isLate = load === 1000 && !seen.has(load);
    seen.add(load);
    record.loadtest!.verdict = isLate ? 'void' : load <= 3000 ? 'pass' : 'fail';
    return record;
  });
  assert.deepEqual(loads.slice(1, 5), [8000, 1000, 1000, 2828]);
  assert.deepEqual(edge, { held: 2828, broke: 8000 });
});

test('a look that is void twice counts as broken, because the search must not begin where the instrument fails', async () => {
  const edge = await warmUp({ ...search, start: 100 }, async (load) => {
    const record = trialFixture(1, load, 20);
    record.loadtest!.verdict = load > 300 ? 'void' : 'pass';
    return record;
  });
  assert.deepEqual(edge, { held: 300, broke: 900 });
});

test('from a load that used more than half of a limit, the look goes up in smaller steps', async () => {
  const loads: number[] = [];
  await warmUp({ ...search, start: 100 }, async (load) => {
    loads.push(load);
    const record = trialFixture(loads.length, load, load < 900 ? 125 : 126);
    record.loadtest!.verdict = load <= 1000 ? 'pass' : 'fail';
    return record;
  });
  assert.deepEqual(loads.slice(0, 5), [100, 100, 300, 900, 1350]);
});

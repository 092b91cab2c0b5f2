import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultWorkload } from '../workload.ts';
import { compareWithBaseline, differencesFrom } from './baseline.ts';
import type { LoadtestResult } from './schema.ts';

function resultOf(p99: number, changes: { turnP99?: number; deliveries?: number } = {}): LoadtestResult {
  return {
    schemaVersion: 1,
    workload: defaultWorkload,
    environment: { cpuModel: 'fast', cpus: 2 },
    deliveryLatencyMs: { p50: p99 / 2, p99, p999: p99 * 2 },
    deliveriesPerSecond: changes.deliveries ?? 1000,
    instrument: { turnMs: { p99: changes.turnP99 ?? 0.1 } },
  } as unknown as LoadtestResult;
}
const verdictOf = (before: LoadtestResult, now: LoadtestResult, metric = 'p99') =>
  compareWithBaseline(before, now, 0.1).find((row) => row.metric === metric)!.verdict;

test('a latency is worse or better only beyond the margin and beyond what the simulators may have caused', () => {
  assert.equal(verdictOf(resultOf(100), resultOf(109)), 'noise');
  assert.equal(verdictOf(resultOf(100), resultOf(120)), 'worse');
  assert.equal(verdictOf(resultOf(120), resultOf(100)), 'better');
  assert.equal(verdictOf(resultOf(100), resultOf(120, { turnP99: 15 })), 'noise');
});

test('fewer deliveries per second are worse', () => {
  const [many, few] = [resultOf(5), resultOf(5, { deliveries: 800 })];
  assert.equal(verdictOf(many, few, 'deliveries'), 'worse');
  assert.equal(verdictOf(few, many, 'deliveries'), 'better');
});

test('a baseline of another load, machine or number of steps is refused, one of other URLs is not', () => {
  const before = resultOf(5);
  const machine = { cpuModel: 'fast', cpus: 2 };
  const urls = ['ws://elsewhere/ws'];
  assert.deepEqual(differencesFrom(before, [{ ...defaultWorkload, urls, seed: 9 }], machine), []);
  assert.deepEqual(differencesFrom(before, [{ ...defaultWorkload, clients: 7 }], { ...machine, cpus: 4 }), [
    '--clients must be as in --baseline: 100; given: 7',
    '--baseline must be of this machine: 4 × fast; given: 2 × fast',
  ]);
  assert.deepEqual(differencesFrom(before, [], machine), ['--baseline has 1 steps; given: 0']);
});

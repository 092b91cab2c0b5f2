import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trialFixture } from '../records/run.fixture.ts';
import { cpuByNode, deliveriesPerCpuSecond } from './cpu.ts';

const trial = trialFixture(1, 100, 10);

test('deliveries per CPU second divide by the cores of all servers, and are unknown where no CPU was seen', () => {
  const seen = { ...trial, server: { ...trial.server!, cpuCores: 2 } };
  assert.equal(deliveriesPerCpuSecond(seen), trial.loadtest!.deliveriesPerSecond / 2);
  assert.equal(deliveriesPerCpuSecond({ ...trial, server: null }), null);
});

test('the CPU of each node is the mean of its readings in the measure phase, and only there', () => {
  const series = { role: 'server' as const, rssBytes: [], throttledShare: [] };
  const nodes = [
    { ...series, name: 'node-1', atSeconds: [-1, 0, 1, 2, 3], cpuCores: [9, 9, 0.5, 0.7, 9] },
    { ...series, name: 'redis', atSeconds: [], cpuCores: [] },
  ];
  assert.equal(cpuByNode({ ...trial, nodes }), 'node-1 0.60, redis –');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, allocateToStage, shareCores } from './allocation.ts';

test('the simulator gets half of the cores, and each side at least one', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 9].map((cores) => shareCores(cores)),
    [
      { server: 1, simulator: 1 },
      { server: 1, simulator: 1 },
      { server: 2, simulator: 1 },
      { server: 2, simulator: 2 },
      { server: 5, simulator: 4 },
    ],
  );
});

test('servers never get more than the simulator leaves', () => {
  assert.equal(allocate(4, 2).serverCpus, 1);
  assert.equal(allocate(4, 16).serverCpus, 4);
  assert.deepEqual(allocate(2, 8), {
    serverCpus: 2,
    serverMemoryMb: 2048,
    loadtestCpus: 4,
    loadtestMemoryMb: 8192,
  });
});

test('a stage with a process per core has at least two, and all cores that the simulator leaves', () => {
  const perCore = { processes: [{ role: 'server', count: 'one per core' }] } as const;
  assert.equal(allocateToStage(perCore, 1).settings.workers, '2');
  const { settings, allocation } = allocateToStage(perCore, 8);
  assert.deepEqual([settings.workers, allocation.serverCpus], ['4', 4]);
  const anyNumber = { processes: [{ role: 'server', count: 'any number' }] } as const;
  assert.deepEqual(allocateToStage(anyNumber, 8), { settings: {}, allocation: allocate(1, 8) });
});

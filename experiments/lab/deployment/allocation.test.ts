import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allocate,
  allocateSmallBoxes,
  allocateToStage,
  balancedBoxesMax,
  defaultBoxCpus,
  shareCores,
} from './allocation.ts';

const machines = [1, 2, 3, 4, 5, 8, 9, 64];

test('each side gets half of the cores, at least one, and an odd core is the simulator’s', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 9].map((cores) => shareCores(cores)),
    [
      { server: 1, simulator: 1 },
      { server: 1, simulator: 1 },
      { server: 1, simulator: 2 },
      { server: 2, simulator: 2 },
      { server: 4, simulator: 5 },
    ],
  );
});

test('the default box grows with the machine, and the simulator has at least twice its CPU', () => {
  assert.deepEqual([2, 3, 4, 8, 9].map(defaultBoxCpus), [0.4, 0.4, 0.8, 1.6, 1.6]);
  for (const cores of machines) {
    const { serverCpus, loadtestCpus } = allocate(undefined, cores);
    assert.ok(loadtestCpus! >= 2 * serverCpus!, `${cores} cores: ${serverCpus}, ${loadtestCpus}`);
    // Redis has as much as the box on the server's side.
    assert.ok(shareCores(cores).server >= 2 * serverCpus!, `${cores} cores: ${serverCpus}`);
  }
  assert.deepEqual(allocate(undefined, 2), {
    serverCpus: 0.4,
    serverMemoryMb: 1024,
    loadtestCpus: 1,
    loadtestMemoryMb: 2048,
    cpuPeriodMs: 10,
  });
});

test('a server never gets more than the simulator leaves', () => {
  assert.equal(allocate(4, 2).serverCpus, 1);
  assert.deepEqual(allocate(2.5, 8), {
    serverCpus: 2.5,
    serverMemoryMb: 3072,
    loadtestCpus: 4,
    loadtestMemoryMb: 8192,
    cpuPeriodMs: 10,
  });
});

test('every stage gets the same box; one with a process per core has at least two workers in it', () => {
  const perCore = { processes: [{ role: 'server', count: 'one per core' }] } as const;
  const anyNumber = { processes: [{ role: 'server', count: 'any number' }] } as const;
  for (const cores of machines) {
    const { settings, allocation } = allocateToStage(perCore, cores);
    assert.deepEqual(allocateToStage(anyNumber, cores), { settings: {}, allocation });
    assert.ok(Number(settings.workers) >= Math.max(2, allocation.serverCpus!), settings.workers);
  }
  assert.equal(allocateToStage(perCore, 2).settings.workers, '2');
  assert.equal(allocateToStage(perCore, 16).settings.workers, '4');
});

test('four small boxes fit beside the simulator on two cores, two of them with a balancer', () => {
  const of = (count: number) => allocateSmallBoxes(count, 2);
  assert.deepEqual(
    [1, 2, 3, 4].map((count) => of(count).serverCpus),
    [0.2, 0.4, 0.6, 0.8],
  );
  assert.deepEqual([of(1).serverMemoryMb, of(3).serverMemoryMb], [512, 1536]);
  assert.equal(of(4).loadtestCpus, 1);
  assert.deepEqual([1, 2, 3, 4, 64].map(balancedBoxesMax), [2, 2, 2, 4, 4]);
});

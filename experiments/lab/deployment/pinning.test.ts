import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePins, parseCpuList, pinnedServerCores, pinning } from './pinning.ts';

test('each part is pinned to CPUs of its own where there are enough', () => {
  assert.deepEqual(pinning([0, 1], [0.25], 1), { servers: ['0'], services: '0', simulator: '1' });
  const pins = pinning([0, 1, 2, 3, 8, 9], [2, 0.5], 1.5);
  assert.deepEqual(pins, { servers: ['0,1', '2'], services: '3', simulator: '8,9' });
  assert.equal(describePins(pins), 'server 0,1 and 2, simulator 8,9');
  assert.equal(describePins(pins, true), 'server 0,1 and 2, services 3, simulator 8,9');
});

test('where CPUs are short the servers share, services too, and the simulator does not', () => {
  assert.deepEqual(pinning([0, 1], [1, 1, 1], 1), {
    servers: ['0', '0', '0'],
    services: '0',
    simulator: '1',
  });
  const ofThree = { servers: ['0,1'], services: '0,1', simulator: '2' };
  assert.deepEqual(pinning([0, 1, 2], [4], 1), ofThree);
  assert.equal(pinnedServerCores(pinning([0, 1], [1, 1, 1], 1)), 1);
  assert.equal(pinnedServerCores(pinning([0, 1, 2], [4], 1)), 2);
});

test('nothing is pinned where a part asks for no limit, or the simulator would leave no CPU', () => {
  const nothing = { servers: [undefined], services: undefined, simulator: undefined };
  assert.deepEqual(pinning([0, 1, 2, 3], [undefined], 1), nothing);
  assert.deepEqual(pinning([0, 1, 2, 3], [1], undefined), nothing);
  assert.deepEqual(pinning([0], [1], 1), nothing);
  assert.deepEqual(pinning([], [1], 1), nothing);
  assert.equal(describePins(nothing), 'none');
  assert.equal(pinnedServerCores(nothing), null);
});

test('a list of CPUs is read as the kernel writes it', () => {
  assert.deepEqual(parseCpuList('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(parseCpuList('3'), [3]);
});

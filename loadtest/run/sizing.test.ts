import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultWorkload, type Workload } from '../workload.ts';
import { coresToFill, type MachineLimits, planWorkers } from './sizing.ts';

const machine: MachineLimits = {
  filesMax: 20_000,
  portsPerAddress: 28_232,
  auditBytesMax: 2 ** 30,
  cores: 1,
};
const workload: Workload = { ...defaultWorkload, clients: 1000, warmUpSeconds: 0 };

function plan(changes: Partial<Workload>, limits: Partial<MachineLimits> = {}) {
  return planWorkers({ ...workload, ...changes }, { ...machine, ...limits });
}

test('takes as few workers as sockets and load need, and for the load at most one per core', () => {
  assert.deepEqual(plan({}), { workers: 1, problems: [] });
  assert.equal(plan({ clients: 19_936 }).workers, 1);
  assert.equal(plan({ clients: 19_937 }).workers, 2);
  assert.equal(plan({ ratePerSecond: 20_000 }).workers, 1);
  assert.equal(plan({ ratePerSecond: 20_000 }, { cores: 3 }).workers, 3);
  assert.equal(plan({ ratePerSecond: 20_000 }, { cores: 8 }).workers, 4);
  assert.equal(plan({ ratePerSecond: 60_000, rooms: 100 }, { cores: 8 }).workers, 2, 'for the sending alone');
  assert.equal(plan({ workers: 3 }).workers, 3);
});

test('uses a part of a machine whole, and half of a whole machine', () => {
  assert.equal(coresToFill(2, 4), 2);
  assert.equal(coresToFill(1, 2), 1);
  assert.equal(coresToFill(4, 4), 2);
  assert.equal(coresToFill(1, 1), 0, 'sockets may still need a worker');
});

const crowd = { clients: 50_000, stalledReaders: 10, workers: 3 };
const oneAddress = { ...crowd, sourceAddresses: ['a'], urls: Array(5).fill('ws://a/ws') };
const long = { ratePerSecond: 20_000, durationSeconds: 3600 };
const ports =
  /50010 connections need as many local ports; there are 28232 per target × 1 = 28232; give 2 times --source-address/;
const sockets = /25000 connections need 2 workers: a process may open 20000 files, 19936 of them sockets/;
const memory = /20000\/s × 3600 s × 1000 recipients ÷ 8 = 8583 MiB, more than the 1024 MiB/;
const refusals: [what: string, changes: Partial<Workload>, problem: RegExp][] = [
  ['more connections than local ports', crowd, ports],
  ['more connections than local ports of one address', oneAddress, /28232 per source address × 1/],
  ['more sockets than its workers may open', { clients: 25_000, workers: 1 }, sockets],
  ['an audit that does not fit in memory', long, memory],
  [
    'more workers than clients',
    { clients: 2, workers: 3 },
    /--workers must be at most --clients \(2\); given: 3/,
  ],
];
for (const [what, changes, problem] of refusals)
  test(`refuses ${what}`, () => assert.match(plan(changes).problems.join(), problem));

test('more addresses, targets or rooms make a workload possible', () => {
  assert.deepEqual(plan({ ...crowd, sourceAddresses: ['a', 'b'] }).problems, []);
  assert.deepEqual(plan({ ...crowd, urls: ['ws://a/ws', 'ws://b/ws'] }).problems, []);
  assert.deepEqual(plan({ ...long, rooms: 100 }).problems, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultHealthLimits, type HealthObservation, judgeHealth } from './health.ts';

const none = { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
const healthy: HealthObservation = {
  scheduled: 1000,
  sent: 1000,
  unsentByTarget: 0,
  scheduleLagMs: { ...none, p99: 3 },
  turnMs: { ...none, p99: 3 },
  loopUtilizationMax: 0.5,
  throttledMs: 0,
  refused: {},
  targetFailed: false,
};

const late = { ...none, p99: 26 };
const busy = { loopUtilizationMax: 0.99, turnMs: { ...none, p99: 40 } };
const bottleneck = /may have been the bottleneck: a worker was busy 99.0 % of the time and took 40 ms/;
const starved = /ran out of files, ports or buffers: 2 × EADDRNOTAVAIL/;

const cases: [name: string, changes: Partial<HealthObservation>, reason: RegExp | null][] = [
  ['a healthy simulator', {}, null],
  ['sending almost all messages', { sent: 990 }, null],
  ['sending too few', { sent: 989 }, /sent 98.9 % of what was due; at least 99.0 % is needed/],
  ['sending too few because of the target', { sent: 500, unsentByTarget: 500 }, null],
  ['sending late', { scheduleLagMs: late }, /p99 of its schedule lag was 26 ms; the limit is 25 ms/],
  ['a busy worker with long turns in a passed run', busy, null],
  ['a busy worker in a failed run', { ...busy, turnMs: healthy.turnMs, targetFailed: true }, null],
  ['long turns in a failed run', { ...busy, loopUtilizationMax: 0.5, targetFailed: true }, null],
  ['a busy worker with long turns in a failed run', { ...busy, targetFailed: true }, bottleneck],
  ['being throttled', { throttledMs: 12 }, /throttled for 12 ms; the limit is 0 ms/],
  ['being refused by the target', { refused: { 503: 4, ECONNREFUSED: 1 } }, null],
  ['running out of files or ports', { refused: { 503: 4, EADDRNOTAVAIL: 2 } }, starved],
];

for (const [name, changes, reason] of cases)
  test(`${name} ${reason ? 'is void' : 'is healthy'}`, () => {
    const reasons = judgeHealth({ ...healthy, ...changes }, defaultHealthLimits).join('\n');
    if (reason) assert.match(reasons, reason);
    else assert.equal(reasons, '');
  });

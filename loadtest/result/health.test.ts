import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultHealthLimits, type HealthObservation, judgeHealth } from './health.ts';

const none = { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
const healthy: HealthObservation = {
  scheduled: 1000,
  sent: 1000,
  unsentByTarget: 0,
  absent: 0,
  scheduleLagMs: { ...none, p99: 3 },
  saturatedShare: 0,
  throttledMs: 0,
  refused: {},
  targetFailed: false,
};

const late = { ...none, p99: 26 };
const saturated = { saturatedShare: 0.21 };
const bottleneck =
  /may have been the bottleneck: for 21.0 % of the time a worker was 95.0 % busy and took more than 25 ms/;
const absent = /the users of 500 messages had been closed in an earlier step/;
const starved = /ran out of files, ports or buffers: 2 × EADDRNOTAVAIL/;

const cases: [name: string, changes: Partial<HealthObservation>, reason: RegExp | null][] = [
  ['a healthy simulator', {}, null],
  ['sending almost all messages', { sent: 990 }, null],
  ['sending too few', { sent: 989 }, /sent 98.9 % of what was due; at least 99.0 % is needed/],
  ['sending too few because of the target', { sent: 500, unsentByTarget: 500 }, null],
  ['sending late', { scheduleLagMs: late }, /p99 of its schedule lag was 26 ms; the limit is 25 ms/],
  ['far too late', { scheduleLagMs: { ...late, p99: 299.775 } }, /schedule lag was 300 ms; the limit/],
  ['a little late', { scheduleLagMs: { ...late, p99: 25.012 } }, /schedule lag was 25\.012 ms; the limit/],
  ['sending too few because an earlier step closed the users', { sent: 500, absent: 500 }, absent],
  ['a saturated worker in a passed run', { saturatedShare: 0.9 }, null],
  ['a worker saturated for a fifth of a failed run', { saturatedShare: 0.2, targetFailed: true }, null],
  ['a worker saturated for longer in a failed run', { ...saturated, targetFailed: true }, bottleneck],
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

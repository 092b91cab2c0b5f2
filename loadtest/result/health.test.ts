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

function judge(changes: Partial<HealthObservation>): string {
  return judgeHealth({ ...healthy, ...changes }, defaultHealthLimits).join('\n');
}

test('a healthy simulator gives no reason', () => {
  assert.equal(judge({}), '');
  assert.equal(judge({ sent: 990 }), '');
});

test('sending too few messages is void, unless the target made it impossible', () => {
  assert.match(judge({ sent: 989 }), /sent 98.9 % of what was due; at least 99.0 % is needed/);
  assert.equal(judge({ sent: 500, unsentByTarget: 500 }), '');
  assert.match(
    judge({ sent: 500, absent: 500 }),
    /the users of 500 messages had been closed in an earlier step/,
  );
});

test('sending late is void', () => {
  assert.match(
    judge({ scheduleLagMs: { ...none, p99: 26 } }),
    /p99 of its schedule lag was 26 ms; the limit is 25 ms/,
  );
});

test('a worker that is saturated for long makes a failed run void, and never a passed one', () => {
  assert.equal(judge({ saturatedShare: 0.9 }), '');
  assert.equal(judge({ saturatedShare: 0.2, targetFailed: true }), '');
  assert.match(
    judge({ saturatedShare: 0.21, targetFailed: true }),
    /may have been the bottleneck: for 21.0 % of the time a worker was 95.0 % busy and took more than 25 ms/,
  );
});

test('being throttled is void', () => {
  assert.match(judge({ throttledMs: 12 }), /throttled for 12 ms; the limit is 0 ms/);
});

test('running out of files or ports is void, being refused by the target is not', () => {
  assert.equal(judge({ refused: { 503: 4, ECONNREFUSED: 1 } }), '');
  assert.match(
    judge({ refused: { 503: 4, EADDRNOTAVAIL: 2 } }),
    /ran out of files, ports or buffers: 2 × EADDRNOTAVAIL/,
  );
});

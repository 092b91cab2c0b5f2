import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceOfLimits, faultOfQuota } from './observed-limits.ts';

const asked = { cpus: 0.5, cpuPeriodMs: 10, memoryMb: 512 };
const inForce = { cpuCores: 0.5, cpuPeriodMs: 10, memoryBytes: 512 * 2 ** 20 };

test('limits in force as asked for are accepted, and so is any limit where none was asked for', () => {
  assert.equal(differenceOfLimits(asked, inForce), null);
  const none = { cpus: undefined, cpuPeriodMs: 10, memoryMb: undefined };
  assert.equal(differenceOfLimits(none, inForce), null);
  assert.equal(differenceOfLimits(none, { cpuCores: null, cpuPeriodMs: null, memoryBytes: null }), null);
});

test('another quota, another period, another memory limit and a missing one are refused by both values', () => {
  const differing = (changes: object) => differenceOfLimits(asked, { ...inForce, ...changes });
  assert.equal(
    differing({ cpuPeriodMs: 100 }),
    'The CPU limit is not in force: asked for 0.5 cores in periods of 10 ms, the cgroup has 0.5 cores in periods of 100 ms.',
  );
  assert.match(differing({ cpuCores: 0.25 })!, /the cgroup has 0\.25 cores in periods of 10 ms/);
  assert.match(differing({ cpuCores: null, cpuPeriodMs: null })!, /CPU limit .* the cgroup has none\./);
  assert.match(differing({ memoryBytes: 7 })!, /memory limit .* asked for 512 MiB, the cgroup has 7 bytes/);
});

test('a quota needs a millisecond in each period, and a period lasts a second at most', () => {
  assert.equal(faultOfQuota(0.1, 10), null);
  assert.equal(faultOfQuota(0.001, 1000), null);
  assert.match(faultOfQuota(0.09, 10)!, /given 0\.09 cores in periods of 10 ms/);
  assert.match(faultOfQuota(1, 1001)!, /required up to 1000, .* given 1 cores in periods of 1001 ms/);
});

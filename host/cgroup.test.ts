import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReadText, readCgroup } from './cgroup.ts';

const files =
  (content: Record<string, string>): ReadText =>
  (path) =>
    content[path];

test('cgroup v2 in a container: quota, throttling and memory', () => {
  const reading = readCgroup(
    files({
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.stat': 'usage_usec 900\nnr_periods 40\nnr_throttled 10\nthrottled_usec 2500000\n',
      '/sys/fs/cgroup/cpu.max': '25000 100000\n',
      '/sys/fs/cgroup/memory.current': '1048576\n',
      '/sys/fs/cgroup/memory.max': '536870912\n',
    }),
  );
  assert.deepEqual(reading, {
    cpuLimitCores: 0.25,
    cpuPeriodsTotal: 40,
    cpuThrottledPeriodsTotal: 10,
    cpuThrottledSecondsTotal: 2.5,
    memoryBytes: 1_048_576,
    memoryLimitBytes: 536_870_912,
  });
});

test('cgroup v2 on a host: the own folder counts, and "max" is no limit', () => {
  const reading = readCgroup(
    files({
      '/proc/self/cgroup': '0::/user.slice/chat.service\n',
      '/sys/fs/cgroup/cpu.stat': 'usage_usec 1\nnr_periods 99\n',
      '/sys/fs/cgroup/user.slice/chat.service/cpu.stat': 'usage_usec 1\nnr_periods 7\n',
      '/sys/fs/cgroup/user.slice/chat.service/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/user.slice/chat.service/memory.max': 'max\n',
    }),
  );
  assert.equal(reading?.cpuLimitCores, undefined);
  assert.equal(reading?.memoryLimitBytes, undefined);
  assert.equal(reading?.cpuPeriodsTotal, 7);
});

test('cgroup v1: nanoseconds, and the huge number that means no limit', () => {
  const reading = readCgroup(
    files({
      '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n',
      '/sys/fs/cgroup/cpu/cpu.stat': 'nr_periods 8\nnr_throttled 4\nthrottled_time 1500000000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '4096\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }),
  );
  assert.deepEqual(reading, {
    cpuLimitCores: 0.5,
    cpuPeriodsTotal: 8,
    cpuThrottledPeriodsTotal: 4,
    cpuThrottledSecondsTotal: 1.5,
    memoryBytes: 4096,
    memoryLimitBytes: undefined,
  });
});

test('without a cgroup file system there is no reading', () => {
  assert.equal(readCgroup(files({})), undefined);
});

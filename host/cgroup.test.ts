import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReadText, readCgroup, readCgroupOf } from './cgroup.ts';

const files =
  (content: Record<string, string>): ReadText =>
  (path) =>
    content[path];

const read = (texts: Record<string, string>) => readCgroup(files(texts));

test('cgroup v2 in a container: quota, throttling and memory', () => {
  const reading = read({
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 900\nnr_periods 40\nnr_throttled 10\nthrottled_usec 2500000\n',
    '/sys/fs/cgroup/cpu.max': '2500 10000\n',
    '/sys/fs/cgroup/memory.current': '1048576\n',
    '/sys/fs/cgroup/memory.max': '536870912\n',
  });
  assert.deepEqual(reading, {
    cpuLimitCores: 0.25,
    cpuPeriodMs: 10,
    cpuSecondsTotal: 0.0009,
    cpuPeriodsTotal: 40,
    cpuThrottledPeriodsTotal: 10,
    cpuThrottledSecondsTotal: 2.5,
    memoryBytes: 1_048_576,
    memoryAnonymousBytes: undefined,
    memoryLimitBytes: 536_870_912,
  });
});

test('cgroup v2 on a host: the own folder counts, and "max" is no limit', () => {
  const reading = read({
    '/proc/self/cgroup': '0::/user.slice/chat.service\n',
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 1\nnr_periods 99\n',
    '/sys/fs/cgroup/user.slice/chat.service/cpu.stat': 'usage_usec 1\nnr_periods 7\n',
    '/sys/fs/cgroup/user.slice/chat.service/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/user.slice/chat.service/memory.max': 'max\n',
  });
  assert.equal(reading?.cpuLimitCores, undefined);
  assert.equal(reading?.cpuPeriodMs, undefined);
  assert.equal(reading?.memoryLimitBytes, undefined);
  assert.equal(reading?.cpuPeriodsTotal, 7);
});

test('cgroup v1: nanoseconds, and the huge number that means no limit', () => {
  const reading = read({
    '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n',
    '/sys/fs/cgroup/cpu/cpu.stat': 'nr_periods 8\nnr_throttled 4\nthrottled_time 1500000000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '10000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '20000\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '4096\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  });
  assert.deepEqual(reading, {
    cpuLimitCores: 0.5,
    cpuPeriodMs: 20,
    cpuSecondsTotal: undefined,
    cpuPeriodsTotal: 8,
    cpuThrottledPeriodsTotal: 4,
    cpuThrottledSecondsTotal: 1.5,
    memoryBytes: 4096,
    memoryAnonymousBytes: undefined,
    memoryLimitBytes: undefined,
  });
});

test('cgroup v2, nested: the smallest limit on the way up holds with its period, and every quota on it throttles', () => {
  const folder = '/sys/fs/cgroup/pod/chat';
  const reading = read({
    '/proc/self/cgroup': '0::/pod/chat\n',
    [`${folder}/cpu.stat`]: 'usage_usec 3000000\nnr_periods 10\nnr_throttled 1\nthrottled_usec 500000\n',
    [`${folder}/cpu.max`]: '20000 10000\n',
    [`${folder}/memory.current`]: '4096\n',
    [`${folder}/memory.stat`]: 'anon 1024\nfile 3072\n',
    [`${folder}/memory.max`]: 'max\n',
    '/sys/fs/cgroup/pod/cpu.stat':
      'usage_usec 9000000\nnr_periods 20\nnr_throttled 4\nthrottled_usec 1000000\n',
    '/sys/fs/cgroup/pod/cpu.max': '50000 100000\n',
    '/sys/fs/cgroup/pod/memory.current': '8192\n',
    '/sys/fs/cgroup/pod/memory.max': '65536\n',
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 99000000\n',
  });
  assert.deepEqual(reading, {
    cpuLimitCores: 0.5,
    cpuPeriodMs: 100,
    cpuSecondsTotal: 3,
    cpuPeriodsTotal: 30,
    cpuThrottledPeriodsTotal: 5,
    cpuThrottledSecondsTotal: 1.5,
    memoryBytes: 4096,
    memoryAnonymousBytes: 1024,
    memoryLimitBytes: 65_536,
  });
});

test('cgroup v1, nested: each controller has a path of its own, and the smallest limit on it holds', () => {
  const reading = read({
    '/proc/self/cgroup': '4:cpu,cpuacct:/ci/job\n3:memory:/ci/job/step\n',
    '/sys/fs/cgroup/cpu/ci/job/cpu.stat': 'nr_periods 6\nnr_throttled 0\nthrottled_time 0\n',
    '/sys/fs/cgroup/cpu/ci/job/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/ci/cpu.stat': 'nr_periods 8\nnr_throttled 2\nthrottled_time 2000000000\n',
    '/sys/fs/cgroup/cpu/ci/cpu.cfs_quota_us': '150000\n',
    '/sys/fs/cgroup/cpu/ci/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpuacct/ci/job/cpuacct.usage': '2500000000\n',
    '/sys/fs/cgroup/memory/ci/job/step/memory.usage_in_bytes': '100\n',
    '/sys/fs/cgroup/memory/ci/job/step/memory.stat': 'rss 39\ntotal_rss 40\n',
    '/sys/fs/cgroup/memory/ci/job/step/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/ci/job/memory.limit_in_bytes': '3000\n',
    '/sys/fs/cgroup/memory/ci/memory.limit_in_bytes': '2000\n',
  });
  assert.deepEqual(reading, {
    cpuLimitCores: 1.5,
    cpuPeriodMs: 100,
    cpuSecondsTotal: 2.5,
    cpuPeriodsTotal: 8,
    cpuThrottledPeriodsTotal: 2,
    cpuThrottledSecondsTotal: 2,
    memoryBytes: 100,
    memoryAnonymousBytes: 40,
    memoryLimitBytes: 2000,
  });
});

test('another process is read by its own folder, until that is gone', () => {
  const stat = '/sys/fs/cgroup/system.slice/docker-abc.scope/cpu.stat';
  const texts: Record<string, string> = {
    '/proc/7/cgroup': '0::/system.slice/docker-abc.scope\n',
    [stat]: 'usage_usec 1500000\n',
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 99000000\n',
  };
  assert.equal(readCgroupOf(7, 'abc', files(texts))?.cpuSecondsTotal, 1.5);
  delete texts[stat];
  assert.equal(readCgroupOf(7, 'abc', files(texts)), undefined);
});

test('a process of the same number on another machine is not taken for the one that is meant', () => {
  const texts = {
    '/proc/7/cgroup': '0::/user.slice\n',
    '/sys/fs/cgroup/user.slice/cpu.stat': 'usage_usec 1\n',
  };
  assert.equal(readCgroupOf(7, 'abc', files(texts)), undefined);
  assert.equal(readCgroupOf(7, 'abc', files({})), undefined);
});

test('without a cgroup file system there is no reading', () => {
  assert.equal(read({}), undefined);
});

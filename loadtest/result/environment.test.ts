import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCgroup, readEnvironment } from './environment.ts';

/** A file system of these files. */
function files(content: Record<string, string>) {
  return (path: string) => content[path] ?? null;
}

test('reads quota, memory and throttling of a cgroup of version 2, also from inside its own namespace', () => {
  const content = {
    'cpu.stat': 'usage_usec 9\nnr_throttled 3\nthrottled_usec 123456\n',
    'cpu.max': '25000 100000\n',
    'memory.max': '536870912\n',
  };
  const at = (root: string) =>
    Object.fromEntries(Object.entries(content).map(([name, text]) => [`${root}/${name}`, text]));
  const expected = { cpuCores: 0.25, memoryBytes: 536_870_912, throttledUs: 123_456 };
  assert.deepEqual(
    readCgroup(files({ '/proc/self/cgroup': '0::/a/b\n', ...at('/sys/fs/cgroup/a/b') })),
    expected,
  );
  assert.deepEqual(
    readCgroup(files({ '/proc/self/cgroup': '0::/../x\n', ...at('/sys/fs/cgroup') })),
    expected,
  );
});

test('reads the same of version 1', () => {
  const seen = readCgroup(
    files({
      '/proc/self/cgroup': '5:memory:/m\n4:cpu,cpuacct:/c\n',
      '/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us': '150000\n',
      '/sys/fs/cgroup/cpu/c/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu/c/cpu.stat': 'nr_periods 5\nthrottled_time 2000000\n',
      '/sys/fs/cgroup/memory/m/memory.limit_in_bytes': '1048576\n',
    }),
  );
  assert.deepEqual(seen, { cpuCores: 1.5, memoryBytes: 1_048_576, throttledUs: 2000 });
});

test('no limit and no cgroup are null, not a number', () => {
  const free = { cpuCores: null, memoryBytes: null, throttledUs: 0 };
  assert.deepEqual(readCgroup(files({})), free);
  assert.deepEqual(
    readCgroup(
      files({
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/cpu.stat': 'usage_usec 1\n',
        '/sys/fs/cgroup/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/memory.max': 'max\n',
      }),
    ),
    free,
  );
  assert.deepEqual(
    readCgroup(
      files({
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      }),
    ),
    free,
  );
});

test('the environment of this process names its machine', () => {
  const environment = readEnvironment();
  assert.equal(environment.node, process.version);
  assert.ok(environment.cpus >= 1 && environment.memoryBytes > 0);
});

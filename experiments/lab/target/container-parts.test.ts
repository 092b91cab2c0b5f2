import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentTag } from './container-image.ts';
import { pinning } from './container-pinning.ts';
import { usageOf } from './container-usage.ts';

const cpu = {
  cpu_usage: { total_usage: 1_500_000_000 },
  throttling_data: { periods: 10, throttled_periods: 4, throttled_time: 250_000_000 },
};

test('usage is read from what an engine on cgroup v1 says', () => {
  const stats = { total_rss: 40, rss: 39, total_inactive_file: 5 };
  const usage = usageOf({
    cpu_stats: cpu,
    memory_stats: { usage: 60, limit: 512, stats },
    pids_stats: { current: 7 },
  });
  assert.deepEqual(usage, {
    cpuSeconds: 1.5,
    rssBytes: 40,
    throttledSeconds: 0.25,
    memoryLimitBytes: 512,
    running: true,
  });
});

test('usage is read from what an engine on cgroup v2 says', () => {
  const memory_stats = { usage: 60, limit: 2 ** 63, stats: { anon: 41, file: 9 } };
  const usage = usageOf({ cpu_stats: cpu, memory_stats, pids_stats: { current: 1 } });
  assert.equal(usage.rssBytes, 41);
  assert.equal(usage.memoryLimitBytes, null);
});

test('a container that has stopped uses nothing and does not run', () => {
  const usage = usageOf({
    cpu_stats: {
      cpu_usage: { total_usage: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    },
    memory_stats: {},
    pids_stats: {},
  });
  assert.deepEqual([usage.cpuSeconds, usage.rssBytes, usage.running], [0, 0, false]);
});

test('each container is pinned to CPUs of its own, or none is pinned', () => {
  assert.deepEqual(pinning(2, [0.25, 1]), ['0', '1']);
  assert.deepEqual(pinning(8, [2, 0.5, 1.5]), ['0,1', '2', '3,4']);
  assert.deepEqual(pinning(2, [0.25, 0.25, 1]), [undefined, undefined, undefined]);
  assert.deepEqual(pinning(64, [0.25, undefined]), [undefined, undefined]);
});

test('the tag of the image changes with what is in the image, and with nothing else', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-tag-'));
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  try {
    for (const folder of ['server', 'loadtest', 'docs']) mkdirSync(join(directory, folder));
    for (const file of ['Dockerfile', 'package.json', 'package-lock.json', 'server/main.ts'])
      write(file, file);
    const before = contentTag(directory);
    write('server/main.test.ts', 'a test');
    write('docs/report.md', 'a report');
    assert.equal(contentTag(directory), before);
    write('server/main.ts', 'changed');
    assert.notEqual(contentTag(directory), before);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentTag } from './container-image.ts';
import { cgroupUsage, type ReadText, usageOf } from './container-usage.ts';

/** A file system of a few files. */
const files =
  (texts: Record<string, string>): ReadText =>
  (path) =>
    texts[path];

test('usage is read from the files of cgroup v1', () => {
  const usage = cgroupUsage(
    7,
    'abc',
    files({
      '/proc/7/cgroup': '4:memory:/docker/abc\n2:cpuacct:/docker/abc\n1:cpu:/docker/abc\n0::/docker/abc\n',
      '/sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage': '1500000000\n',
      '/sys/fs/cgroup/cpu/docker/abc/cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 250000000\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.stat': 'rss 39\ntotal_rss 40\n',
    }),
  );
  assert.deepEqual(usage!(), { cpuSeconds: 1.5, rssBytes: 40, throttledSeconds: 0.25, running: true });
});

test('usage is read from the files of cgroup v2, until the container ends', () => {
  const path = '/sys/fs/cgroup/system.slice/docker-abc.scope';
  const texts: Record<string, string> = {
    '/proc/7/cgroup': '0::/system.slice/docker-abc.scope\n',
    [`${path}/cpu.stat`]: 'usage_usec 1500000\nnr_throttled 4\nthrottled_usec 250000\n',
    [`${path}/memory.stat`]: 'anon 41\nfile 9\n',
  };
  const usage = cgroupUsage(7, 'abc', files(texts));
  assert.deepEqual(usage!(), { cpuSeconds: 1.5, rssBytes: 41, throttledSeconds: 0.25, running: true });
  delete texts[`${path}/cpu.stat`];
  assert.equal(usage!(), undefined);
});

test('a process of the same number on another machine is not taken for the container', () => {
  assert.equal(cgroupUsage(7, 'abc', files({ '/proc/7/cgroup': '0::/user.slice\n' })), undefined);
  assert.equal(cgroupUsage(7, 'abc', files({})), undefined);
});

test('usage is read from what the engine says where its files are out of reach', () => {
  const usage = usageOf({
    cpu_stats: { cpu_usage: { total_usage: 1.5e9 }, throttling_data: { throttled_time: 2.5e8 } },
    memory_stats: { usage: 60, stats: { anon: 41 } },
    pids_stats: { current: 7 },
  });
  assert.deepEqual(usage, { cpuSeconds: 1.5, rssBytes: 41, throttledSeconds: 0.25, running: true });
});

test('the tag of the image changes with what is in the image, and with nothing else', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-tag-'));
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  try {
    for (const folder of ['host', 'server', 'loadtest', 'docs']) mkdirSync(join(directory, folder));
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

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentTag } from './container-image.ts';
import { usageOf, usageOfProcess } from './container-usage.ts';

test('usage is read from the cgroup of the main process, until that ends', () => {
  const path = '/system.slice/docker-abc.scope';
  const texts: Record<string, string> = {
    '/proc/7/cgroup': `0::${path}\n`,
    [`/sys/fs/cgroup${path}/cpu.stat`]: 'usage_usec 1500000\nnr_throttled 4\nthrottled_usec 250000\n',
    [`/sys/fs/cgroup${path}/memory.stat`]: 'anon 41\nfile 9\n',
  };
  const usage = () => usageOfProcess(7, 'abc', (file) => texts[file]);
  assert.deepEqual(usage(), { cpuSeconds: 1.5, rssBytes: 41, throttledSeconds: 0.25, running: true });
  delete texts['/proc/7/cgroup'];
  assert.equal(usage(), undefined);
});

test('usage is read from the engine where its files are out of reach', () => {
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
    for (const folder of ['client/core', 'client/web', 'host', 'server', 'loadtest', 'docs'])
      mkdirSync(join(directory, folder), { recursive: true });
    for (const file of ['Dockerfile', 'package.json', 'package-lock.json', 'server/main.ts'])
      write(file, file);
    copyFileSync(new URL('../../../.dockerignore', import.meta.url), join(directory, '.dockerignore'));
    const before = contentTag(directory);
    for (const kind of ['test', 'integration', 'contract', 'fixture']) write(`server/main.${kind}.ts`, kind);
    write('docs/report.md', 'a report');
    assert.equal(contentTag(directory), before);
    write('server/main.ts', 'changed');
    assert.notEqual(contentTag(directory), before);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { childrenOf, readRunDelaySeconds, readTreeUsage } from './process-tree.ts';

/** A /proc whose process names hold blanks and parentheses, which a careless parser would split at. */
function fakeProc(
  processes: { pid: number; parent: number; ticks: number[]; pages: number; state?: string }[],
) {
  const directory = mkdtempSync(join(tmpdir(), 'lab-proc-'));
  for (const { pid, parent, ticks, pages, state = 'S' } of processes) {
    mkdirSync(join(directory, String(pid)));
    const fields = [state, parent, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...ticks, 0, 0, 0, 0, 0, 0, pages, 0];
    writeFileSync(join(directory, String(pid), 'stat'), `${pid} (a) b) 9) ${fields.join(' ')}\n`);
  }
  mkdirSync(join(directory, 'sys'));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

test('a tree is its root, its descendants, and the children that it has reaped; nothing else', () => {
  using proc = fakeProc([
    { pid: 10, parent: 1, ticks: [100, 50, 30, 20], pages: 10 },
    { pid: 11, parent: 10, ticks: [200, 0, 0, 0], pages: 20 },
    { pid: 12, parent: 11, ticks: [0, 100, 0, 0], pages: 30 },
    { pid: 13, parent: 10, ticks: [50, 0, 0, 0], pages: 0, state: 'Z' },
    { pid: 99, parent: 1, ticks: [9999, 0, 0, 0], pages: 999 },
  ]);
  const usage = readTreeUsage(10, proc.directory);
  assert.deepEqual(usage, { cpuSeconds: 5.5, rssBytes: 60 * 4096, processes: 3 });
  assert.deepEqual(childrenOf(10, proc.directory), [11], 'neither grandchildren nor zombies');
});

test('a root that is gone counts no process', () => {
  using proc = fakeProc([]);
  assert.deepEqual(readTreeUsage(10, proc.directory), { cpuSeconds: 0, rssBytes: 0, processes: 0 });
});

test('waiting for a CPU is summed over all threads of a tree, and is null where it is not counted', () => {
  using proc = fakeProc([]);
  const thread = (pid: number, id: number, files: { schedstat?: string; children?: string }) => {
    const directory = join(proc.directory, String(pid), 'task', String(id));
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  };
  thread(10, 10, { schedstat: '9000000000 1500000000 7\n', children: '' });
  thread(10, 11, { schedstat: '0 500000000 1\n', children: '12 ' });
  thread(12, 12, { schedstat: '0 1000000000 1\n', children: '' });
  thread(99, 99, { schedstat: '0 7000000000 1\n', children: '' });
  assert.equal(readRunDelaySeconds(10, proc.directory), 3);
  thread(20, 20, { children: '' });
  assert.equal(readRunDelaySeconds(20, proc.directory), null);
  assert.equal(readRunDelaySeconds(30, proc.directory), null);
});

test('its reading of this process agrees with what Node says', () => {
  const usage = readTreeUsage(process.pid);
  assert.ok(Math.abs(usage.rssBytes / process.memoryUsage.rss() - 1) < 0.5, `${usage.rssBytes}`);
  const { user, system } = process.cpuUsage();
  assert.ok(Math.abs(usage.cpuSeconds - (user + system) / 1e6) < 0.5, `${usage.cpuSeconds}`);
});

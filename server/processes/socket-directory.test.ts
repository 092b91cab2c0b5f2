import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeSocketDirectory, removeAbandonedDirectories, removeIfEmpty } from './socket-directory.ts';

const parent = mkdtempSync(join(tmpdir(), 'chat-directories-'));
after(() => rmSync(parent, { recursive: true }));
const inTwoMinutes = () => Date.now() + 120_000;

test('only the user who made it may enter a directory', () => {
  assert.equal(statSync(makeSocketDirectory(parent)).mode & 0o777, 0o700);
});

test('directories in which nobody listens are removed, others and new ones stay', async () => {
  const [used, dead, empty] = [1, 2, 3].map(() => makeSocketDirectory(parent)) as [string, string, string];
  const server = createServer().listen(join(used, 'worker-0.sock'));
  await once(server, 'listening');
  writeFileSync(join(dead, 'worker-0.sock'), '');
  assert.deepEqual(await removeAbandonedDirectories(parent), [], 'all of them are new');
  const removed = await removeAbandonedDirectories(parent, inTwoMinutes());
  assert.ok(removed.includes(dead) && removed.includes(empty));
  assert.deepEqual([existsSync(used), existsSync(dead), existsSync(empty)], [true, false, false]);
  await new Promise((resolve) => server.close(resolve));
  await removeAbandonedDirectories(parent, inTwoMinutes());
  assert.deepEqual(readdirSync(parent), []);
});

test('a directory with sockets of others is not removed by one of its workers', () => {
  const directory = makeSocketDirectory(parent);
  writeFileSync(join(directory, 'worker-1.sock'), '');
  removeIfEmpty(directory);
  assert.ok(existsSync(directory));
  rmSync(join(directory, 'worker-1.sock'));
  removeIfEmpty(directory);
  assert.ok(!existsSync(directory));
});

import assert from 'node:assert/strict';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { serverFlags } from './server-flags.ts';

test('this server, and one that knows today’s names, get them; one of before gets its own', () => {
  const settings = { 'segment-size': '64KiB', 'fan-out-interval': '1s', 'move-rate': '0/s', workers: '2' };
  const now = ['--segment-size', '64KiB', '--fan-out-interval', '1s', '--move-rate', '0/s', '--workers', '2'];
  assert.deepEqual(serverFlags(settings), now);
  assert.deepEqual(serverFlags(settings, join(import.meta.dirname, '..', '..', '..')), now);
  using before = mkdtempDisposableSync(join(tmpdir(), 'server-of-before-'));
  assert.deepEqual(serverFlags(settings, before.path), [
    ...['--segment-bytes', '65536', '--fan-out-interval-ms', '1000'],
    ...['--moves-per-second', '0', '--workers', '2'],
  ]);
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { installPeer, type PeerProgram, PeerUnavailable } from './peers.ts';

const cache = mkdtempSync(join(tmpdir(), 'lab-peers-'));
after(() => rmSync(cache, { recursive: true }));
const { signal } = new AbortController();

const peer = (name: string): PeerProgram => ({
  files: ['peer.ts'],
  packages: [`${name}@1.0.0`],
  runtime: '*/bin/run',
});

/** Puts a package with a program of this exit code where an earlier installation would have put it. */
function installed(name: string, exitCode: number): string {
  const program = join(cache, `${name}@1.0.0`, 'node_modules', name, 'bin', 'run');
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(program, 0o755);
  return program;
}

test('a peer without packages of its own is run by this Node', async () => {
  const program: PeerProgram = { files: ['peer.ts'], packages: [], runtime: null };
  assert.equal(await installPeer(program, signal, cache), process.execPath);
});

test('an installed peer is used again, without npm', async () => {
  const program = installed('good', 0);
  assert.equal(await installPeer(peer('good'), signal, cache), program);
});

test('a binary that does not run here makes the peer unavailable', async () => {
  installed('bad', 132);
  await assert.rejects(installPeer(peer('bad'), signal, cache), PeerUnavailable);
});

test('a registry that does not answer makes the peer unavailable, and leaves nothing behind', async () => {
  const before = readdirSync(cache);
  process.env.npm_config_registry = 'http://127.0.0.1:1';
  try {
    await assert.rejects(
      installPeer(peer('nowhere'), signal, cache),
      new PeerUnavailable('it needs nowhere@1.0.0 of npm: npm error code ECONNREFUSED'),
    );
  } finally {
    delete process.env.npm_config_registry;
  }
  assert.deepEqual(readdirSync(cache), before);
});

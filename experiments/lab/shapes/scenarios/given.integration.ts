/** `run 013 --url`: a server that is not the lab's, of which only the answers of standards are demanded. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';

const main = fileURLToPath(new URL('../../../main.ts', import.meta.url));
const results = mkdtempSync(join(tmpdir(), 'given-'));
after(() => rmSync(results, { recursive: true }));

/** Twenty lines of somebody else's: it broadcasts in each room, but for one message in `dropEvery`. */
async function broadcast(dropEvery: number): Promise<AsyncDisposable & { url: string }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const rooms = new Map<string, Set<WebSocket>>();
  let messages = 0;
  server.on('connection', (ws, { url = '' }) => {
    const room = rooms.get(url) ?? new Set();
    rooms.set(url, room.add(ws));
    ws.on('error', () => {});
    ws.on('close', () => room.delete(ws));
    ws.on('message', (data) => {
      if (++messages % dropEvery > 0) for (const other of room) other.send(data.toString());
    });
  });
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    async [Symbol.asyncDispose]() {
      for (const ws of server.clients) ws.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function run(url: string, ...scenarios: string[]): Promise<{ code: number; output: string }> {
  const chosen = scenarios.flatMap((name) => ['--scenario', name]);
  const args = [main, 'run', '013', '--url', url, '--results', results, ...chosen];
  return new Promise((resolve) =>
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    ),
  );
}

describe('a server that is given by its URL', { concurrency: true }, () => {
  test('holds where it answers as the standards ask; what it does of its own is told, not judged', async () => {
    await using server = await broadcast(Number.POSITIVE_INFINITY);
    const { code, output } = await run(server.url, 'reserved bits', 'binary frames');
    assert.equal(code, 0, output);
    assert.match(output, /reserved bits +30 × 1002 +p99 [\d.]+ m?s/);
    assert.match(output, /binary frames +20 × nothing +p99 [\d.]+ m?s/);
  });

  test('fails where its neighbours lose messages', async () => {
    await using server = await broadcast(25); // The neighbours send 30 messages in the shortest step.
    const { code, output } = await run(server.url, 'reserved bits');
    assert.equal(code, 1, output);
    assert.match(output, /of the neighbours' were lost; the limit is 0/);
    assert.match(output, /reserved bits .* FAILS/);
  });

  test('that does not answer is named, and nothing is judged', async () => {
    const { code, output } = await run('ws://127.0.0.1:9/ws', 'reserved bits');
    assert.equal(code, 3, output);
    assert.match(output, /given: no trial was possible: .*ECONNREFUSED/);
    assert.doesNotMatch(output, /\n {4}at /);
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTiming } from './internal-port.ts';

async function timed(listener: RequestListener, requestsPerSecond: number, forMs: number) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const stop = startTiming(`http://127.0.0.1:${port}`, '/metrics', requestsPerSecond);
    await sleep(forMs);
    return await stop();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a path is requested at the rate, and a server of known delay yields that delay', async () => {
  const answer: RequestListener = (_request, response) =>
    void setTimeout(() => response.end('x'.repeat(1000)), 60);
  const summary = await timed(answer, 3, 900);
  assert.deepEqual([summary.path, summary.sent, summary.answered, summary.failed], ['/metrics', 3, 3, 0]);
  assert.ok(summary.bytes > 1000);
  assert.ok(summary.answerMs.p50 >= 59 && summary.answerMs.p50 < 150, JSON.stringify(summary));
  assert.ok(summary.answerMs.max >= summary.answerMs.p99 && summary.answerMs.p99 >= summary.answerMs.p50);
});

test('an answer other than 2xx counts as failed, and has no time', async () => {
  const summary = await timed((_request, response) => void response.writeHead(503).end(), 2, 300);
  assert.deepEqual([summary.answered, summary.failed], [0, 2]);
  assert.deepEqual(summary.answerMs, { mean: 0, p50: 0, p99: 0, max: 0 });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createMetrics } from '../ops/metrics.ts';
import { WebPage } from './web-page.ts';

const settings = { webPage: 'on', webPageRequestsMax: 1, handshakeTimeoutMs: 3_000 };

test('a peer that does not take its answer is cut off, and its place is free again', async () => {
  const page = new WebPage(settings, createMetrics('test', { sessions: () => 0, rooms: () => 0 }));
  let stalls = true;
  await using server = createServer((request, response) => {
    // As if the kernel took nothing: what is written stays in the process.
    if (stalls) request.socket.cork();
    assert.equal(page.answer('/', request, response), true);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const [error] = await once(get(url), 'error');
  assert.equal(error.code, 'ECONNRESET');
  stalls = false;
  const [answer] = (await once(get(url), 'response')) as [IncomingMessage];
  assert.equal(answer.resume().statusCode, 200);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ConnectService } from './connect-service.ts';

/** A service with these answers in turn, and the requests that it has had. */
async function startService(answers: { status?: number; headers?: object; body?: string }[]) {
  const seen: string[] = [];
  const ports = new Set<number | undefined>();
  const server = http.createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    ports.add(request.socket.remotePort);
    const { status = 200, headers = {}, body = '' } = answers[seen.length - 1] ?? {};
    if (status > 0) response.writeHead(status, { ...headers }).end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { origin, seen, ports, [Symbol.asyncDispose]: stop };
}

const headers = { Authorization: 'Bearer x' };

test('it reads the address, keeps its connection, and counts', async () => {
  const url = 'ws://localhost:81/ws/tea';
  await using service = await startService([
    { body: JSON.stringify({ url }) },
    { body: JSON.stringify({ url }) },
  ]);
  const asked = new ConnectService([service.origin], headers, 1000);
  for (const room of ['tea', '']) {
    const answer = await asked.ask(0, room);
    assert.ok('url' in answer);
    assert.equal(answer.url.href, url);
    assert.equal(answer.at.port, 81);
    assert.match(answer.at.address, /^(127\.0\.0\.1|::1)$/);
  }
  assert.deepEqual(service.seen, ['/connect?room=tea Bearer x', '/connect Bearer x']);
  assert.equal(service.ports.size, 1);
  assert.equal(asked.counts.answerUs.length, 2);
});

test('a refusal has its status and its wait; an answer without an address, and no answer, are none', async () => {
  await using service = await startService([
    { status: 503, headers: { 'retry-after': '2' } },
    { body: 'no' },
    { body: '{"url":"http://x"}' },
    { status: 0 },
  ]);
  const asked = new ConnectService([service.origin], {}, 300);
  assert.deepEqual(await asked.ask(0, 'tea'), { why: '503', retryAfterMs: 2000 });
  for (let turn = 0; turn < 2; turn++)
    assert.deepEqual(await asked.ask(turn, 'tea'), { why: 'no URL in the answer' });
  assert.deepEqual(await asked.ask(0, 'tea'), { why: 'timeout' });
  const nobody = new ConnectService(['http://127.0.0.1:1', service.origin], {}, 300);
  assert.deepEqual(await nobody.ask(0, 'tea'), { why: 'ECONNREFUSED' });
  assert.deepEqual(asked.counts.refused, { 503: 1, 'no URL in the answer': 2, timeout: 1 });
});

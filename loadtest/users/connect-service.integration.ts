import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
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

const tea = { user: 1, room: 'tea', turn: 0 };
const headers = { Authorization: 'Bearer x' };

test('it reads the address, keeps its connection, and counts', async () => {
  const url = 'ws://localhost:81/ws/tea';
  await using service = await startService([
    { body: JSON.stringify({ url }) },
    { body: JSON.stringify({ url }) },
  ]);
  const asked = new ConnectService([service.origin], headers, 1000);
  for (const room of ['tea', '']) {
    const answer = await asked.ask({ user: 1, room, turn: 0 });
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
  assert.deepEqual(await asked.ask(tea), { why: '503', retryAfterMs: 2000 });
  for (let turn = 0; turn < 2; turn++)
    assert.deepEqual(await asked.ask({ ...tea, turn }), { why: 'no URL in the answer' });
  assert.deepEqual(await asked.ask(tea), { why: 'timeout' });
  const nobody = new ConnectService(['http://127.0.0.1:1', service.origin], {}, 300);
  assert.deepEqual(await nobody.ask(tea), { why: 'ECONNREFUSED' });
  assert.deepEqual(asked.counts.refused, { 503: 1, 'no URL in the answer': 2, timeout: 1 });
});

test('a user that could not reach a node is sent to another one, once; others are not', async () => {
  const body = JSON.stringify({ url: 'ws://127.0.0.1:81/ws/tea', node: '127.0.0.1:81' });
  await using service = await startService(Array(5).fill({ body }));
  const asked = new ConnectService([service.origin], {}, 1000);
  asked.failed(1); // It has not been sent anywhere.
  await asked.ask(tea);
  asked.failed(1);
  await asked.ask({ ...tea, user: 2 });
  await asked.ask(tea);
  await asked.ask(tea);
  const queries = service.seen.map((line) => line.split(' ')[0]);
  const plain = '/connect?room=tea';
  assert.deepEqual(queries, [plain, plain, `${plain}&not=127.0.0.1%3A81`, plain]);
});

test('who was never connected asks a full service again after the wait that it names, a few times', async () => {
  const full = { status: 503, headers: { 'retry-after': '0' } };
  const body = JSON.stringify({ url: 'ws://127.0.0.1:81/ws/tea' });
  await using opens = await startService([full, { body }]);
  const answer = await new ConnectService([opens.origin], {}, 1000).askFirst(tea);
  assert.ok('url' in answer);
  assert.equal(opens.seen.length, 2);
  await using always = await startService(Array(9).fill(full));
  const refused = new ConnectService([always.origin], {}, 1000);
  assert.deepEqual(await refused.askFirst(tea), { why: '503', retryAfterMs: 0 });
  assert.equal(always.seen.length, 4);
  await using silent = await startService([{ status: 503 }]);
  assert.ok('why' in (await new ConnectService([silent.origin], {}, 1000).askFirst(tea)));
  assert.equal(silent.seen.length, 1, 'it has named no wait');
});

test('a kept connection that the service has closed meanwhile is no refusal', async () => {
  const body = JSON.stringify({ url: 'ws://127.0.0.1:81/ws/tea' });
  // It answers one request of each connection, and breaks the connection at the next.
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      if (requests++ > 0) return socket.resetAndDestroy();
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = new ConnectService([origin], {}, 1000);
  for (let turn = 0; turn < 4; turn++) assert.ok('url' in (await asked.ask(tea)));
  assert.deepEqual(asked.counts.refused, {});
  server.close();
  for (const socket of sockets) socket.destroy();
});

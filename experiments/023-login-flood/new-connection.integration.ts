/** The logins of the flood, against a server that lets in, refuses, closes, or says nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { encodeLogin, encodeLoginAck } from '#protocol';
import { until } from '../../testing/until.ts';
import { logInAnew } from './new-connection.ts';

const ok = { result: 'ok', user: 'bob', waiting: 0 } as const;
const password = { user: 'bob', password: 'correct horse', device: 'd' };
const heard: string[] = [];
const closedWith: number[] = [];

const server = createServer();
const sockets = new WebSocketServer({ noServer: true });
server
  .on('upgrade', (request, socket, head) => {
    const token = new URL(request.url!, 'http://x').searchParams.get('login');
    if (token === 'crowd') return void socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('close', (code) => closedWith.push(code));
      ws.send('{"type":"joined"}');
      if (token === 'good') ws.send(encodeLoginAck(ok));
      if (token === 'unlucky') ws.close(1013, 'later');
      ws.on('message', (data) => {
        heard.push(String(data));
        ws.send(encodeLoginAck({ ...ok, token: 't'.repeat(43) }));
      });
    });
  })
  .listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
after(() => {
  for (const ws of sockets.clients) ws.terminate();
  server.close();
});

test('a login with a token, or with a password as a frame, ends with the answer and leaves in order', async () => {
  assert.deepEqual(await logInAnew(url, { token: 'good' }, 5000), ok);
  assert.deepEqual(heard, []);
  assert.equal((await logInAnew(url, password, 5000)).result, 'ok');
  assert.deepEqual(heard, [encodeLogin(password)]);
  await until(() => closedWith.length === 2, 'both have left');
  assert.deepEqual(closedWith, [1000, 1000]);
});

test('a refusal, a close and silence are told as what they are', async () => {
  await assert.rejects(logInAnew(url, { token: 'crowd' }, 5000), /^Error: 503$/);
  await assert.rejects(logInAnew(url, { token: 'unlucky' }, 5000), /closed with 1013 later/);
  await assert.rejects(logInAnew(url, { token: 'silent' }, 50), /no answer in time/);
});

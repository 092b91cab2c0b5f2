import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { verifyExchange } from './smoke-check.ts';

/** A chat that relays to all, or only accepts. */
async function chat(relays: boolean) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const rooms: (string | undefined)[] = [];
  server.on('connection', (socket, request) => {
    rooms.push(request.url);
    socket.on('message', (data) => {
      if (relays) for (const client of server.clients) client.send(data.toString());
    });
  });
  const close = () => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    rooms,
    [Symbol.dispose]: close,
  };
}

const never = new AbortController().signal;

test('two clients that hear each other are proof, in a room that no load uses', async () => {
  using server = await chat(true);
  await verifyExchange([server.url], never);
  assert.deepEqual(server.rooms, ['/ws/lab-verify', '/ws/lab-verify']);
});

test('a server that accepts and says nothing is found out', async () => {
  using server = await chat(false);
  await assert.rejects(
    verifyExchange([server.url], never, 100),
    /could not exchange a message at ws:.*nothing was heard within 0\.1 s/,
  );
});

test('a closed port and an abort each say what they are', async () => {
  await assert.rejects(verifyExchange(['ws://127.0.0.1:1/ws'], never), /ECONNREFUSED/);
  using server = await chat(false);
  const controller = new AbortController();
  const verified = verifyExchange([server.url], controller.signal);
  controller.abort(new Error('interrupted'));
  await assert.rejects(verified, /interrupted/);
});

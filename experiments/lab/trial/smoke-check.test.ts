import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { smokeCheck } from './smoke-check.ts';

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
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/ws`, rooms, [Symbol.dispose]: close };
}

const never = new AbortController().signal;

test('two clients exchange a message, in a room that no load uses', async () => {
  using server = await chat(true);
  await smokeCheck([server.url], never);
  assert.deepEqual(server.rooms, ['/ws/lab-verify', '/ws/lab-verify']);
});

test('a server that accepts connections and relays nothing is rejected', async () => {
  using server = await chat(false);
  await assert.rejects(
    smokeCheck([server.url], never, 100),
    /could not exchange a message at ws:.*no message arrived within 0\.1 s/,
  );
});

test('a closed port and an abort are each named in the error', async () => {
  await assert.rejects(smokeCheck(['ws://127.0.0.1:1/ws'], never), /ECONNREFUSED/);
  using server = await chat(false);
  const controller = new AbortController();
  const verified = smokeCheck([server.url], controller.signal);
  controller.abort(new Error('interrupted'));
  await assert.rejects(verified, /interrupted/);
});

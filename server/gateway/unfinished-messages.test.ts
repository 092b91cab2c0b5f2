import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { frame, frameHeader } from '#host/raw-peer.ts';
import { isInsideMessage } from './unfinished-messages.ts';

test('ws tells whether bytes end within a message, for every place within a frame', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  t.after(() => client.terminate());
  const [ws] = (await once(server, 'connection')) as [WebSocket];
  await once(client, 'open');
  const { _socket: sending } = client as unknown as { _socket: Writable };
  const { _socket: receiving } = ws as unknown as { _socket: EventEmitter };
  const insideAfter = async (bytes: Buffer) => {
    const read = once(receiving, 'data');
    sending.write(bytes);
    await read;
    return isInsideMessage(ws);
  };
  assert.equal(isInsideMessage(ws), false);
  const message = Buffer.concat([frameHeader(0x81, 300), Buffer.alloc(300)]);
  for (const cut of [1, 2, 3, 4, 6, 8, 9, 307]) {
    assert.equal(await insideAfter(message.subarray(0, cut)), true, `${cut} bytes of a message`);
    assert.equal(await insideAfter(message.subarray(cut)), false, `the rest after ${cut} bytes`);
  }
  assert.equal(await insideAfter(frame(0x01, Buffer.from('a'))), true, 'a first fragment');
  assert.equal(await insideAfter(frame(0x89, Buffer.from('ping'))), true, 'a ping between fragments');
  assert.equal(await insideAfter(frame(0x80, Buffer.from('b'))), false, 'the last fragment');
  assert.equal(await insideAfter(frame(0x89, Buffer.from('ping'))), false, 'a ping');
});

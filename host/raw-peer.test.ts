import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RawPeer } from './raw-peer.ts';

const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';
const frame = (payload: Buffer, header: readonly number[]) => Buffer.concat([Buffer.from(header), payload]);
const short = frame(Buffer.from('a text'), [0x81, 6]);
const long = frame(Buffer.alloc(300, 0x88), [0x81, 126, 1, 44]);
const close = frame(Buffer.from('xxslow'), [0x88, 6]);
close.writeUInt16BE(4008, 2);

/** A server that answers the first bytes of each connection so, and the URL of it. */
async function serve(answer: (socket: Socket) => unknown) {
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  return { url, [Symbol.asyncDispose]: async () => void server.close() };
}

test('the close code is found behind frames of every length, however the bytes come', async () => {
  for (const pieceBytes of [1, 7, 1000]) {
    await using server = await serve(async (socket) => {
      const all = Buffer.concat([Buffer.from(head), short, long, short, close, short]);
      for (let at = 0; at < all.length; at += pieceBytes) {
        socket.write(all.subarray(at, at + pieceBytes));
        await nextTurn();
      }
    });
    const peer = await RawPeer.join(server.url);
    assert.equal(await peer.answer(5000), 4008);
    peer.destroy();
  }
});

test('a status, an end without a word and no answer at all are told apart', async () => {
  await using refusing = await serve((socket) => socket.write('HTTP/1.1 404 Not Found\r\n\r\n'));
  await assert.rejects(RawPeer.join(refusing.url), /opened no session: HTTP 404$/);
  await using cutting = await serve((socket) => socket.write(head, () => socket.destroy()));
  assert.equal(await (await RawPeer.join(cutting.url)).answer(5000), 'cut');
  await using open = await serve((socket) => socket.write(Buffer.concat([Buffer.from(head), short])));
  const peer = await RawPeer.join(open.url);
  assert.equal(await peer.answer(20), 'nothing');
  peer.destroy();
});

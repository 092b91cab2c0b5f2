import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { createMetrics } from '../ops/metrics.ts';
import { WebPage } from './web-page.ts';

/** A connection that asks for the page. If it `stalls`, it takes nothing of the answer. */
function visitor(stalls: boolean) {
  const heard: string[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      heard.push(chunk.toString());
      if (!stalls) done();
    },
    final(done) {
      done();
      this.push(null);
    },
  });
  socket.push('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return { socket, heard };
}

test('a peer that does not take its answer is cut off, and its place is free again', async () => {
  const settings = { webPage: 'on', webPageRequestsMax: 1, handshakeTimeoutMs: 2_000 };
  const page = new WebPage(settings, createMetrics('test', { sessions: () => 0, rooms: () => 0 }));
  const server = createServer((request, response) => page.answer('/', request, response));
  const statusOf = async (stalls: boolean) => {
    const { socket, heard } = visitor(stalls);
    server.emit('connection', socket);
    await once(socket, 'close');
    return heard.join('').split(' ')[1];
  };
  const stalled = statusOf(true);
  assert.equal(await statusOf(false), '503', 'the only place is taken');
  assert.equal(await stalled, '200');
  assert.equal(await statusOf(false), '200');
});

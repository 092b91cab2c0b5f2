import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  const settings = { webPage: 'on', webPageRequestsMax: 1, handshakeTimeoutMs: 2_000, mediaUrl: '' };
  const page = new WebPage(
    settings,
    createMetrics('test', { sessions: () => 0, rooms: () => 0, waiting: () => 0 }),
  );
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

test('the page may reach the media server, and no other host', async (t) => {
  const policyOf = async (mediaUrl: string) => {
    const settings = { webPage: 'on', webPageRequestsMax: 1, handshakeTimeoutMs: 2_000, mediaUrl };
    const page = new WebPage(
      settings,
      createMetrics('test', { sessions: () => 0, rooms: () => 0, waiting: () => 0 }),
    );
    const server = createServer((request, response) => page.answer('/', request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { headers } = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    return headers.get('content-security-policy')!.split('; ');
  };
  const without = await policyOf('');
  assert.ok(without.includes("img-src 'self'") && without.includes("connect-src 'self'"));
  const policy = await policyOf('https://media.example:8443/images');
  const changed = policy.filter((directive) => !without.includes(directive));
  const media = 'https://media.example:8443';
  assert.deepEqual(changed, [`img-src 'self' ${media}`, `connect-src 'self' ${media}`]);
});

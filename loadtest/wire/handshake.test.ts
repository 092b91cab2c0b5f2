import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handshakeRequest, readHandshakeResponse } from './handshake.ts';

const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const good = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

function read(text: string) {
  return readHandshakeResponse(Buffer.from(text), accept);
}

test('a response is accepted only when it is complete, with the offset where frames begin', () => {
  for (let length = 0; length < good.length; length++)
    assert.deepEqual(read(good.slice(0, length)), { state: 'incomplete' });
  assert.deepEqual(read(good), { state: 'open', framesAt: good.length });
  assert.deepEqual(read(`${good}frames`), { state: 'open', framesAt: good.length });
});

test('a response that differs from the protocol is refused with the reason', () => {
  const extension = 'Sec-WebSocket-Extensions: permessage-deflate';
  const refusals: [string, string][] = [
    ['HTTP/1.1 503 Service Unavailable\r\nRetry-After: soon\r\n\r\n', '503'],
    ['HTTP/1.1 200 OK\r\n\r\n', '200'],
    ['SSH-2.0-OpenSSH\r\n\r\n', 'not HTTP/1.1'],
    [good.replace('WebSocket', 'h2c'), 'no upgrade'],
    [good.replace('keep-alive, Upgrade', 'keep-alive'), 'no upgrade'],
    [good.replace(accept, 'x'), 'wrong accept'],
    [good.replace('\r\n\r\n', `\r\n${extension}\r\n\r\n`), 'unasked extension'],
    ['HTTP/1.1 101 x\r\n'.padEnd(20_000, 'x'), 'no end of headers'],
  ];
  for (const [text, why] of refusals)
    assert.deepEqual(read(text), { state: 'refused', why }, text.slice(0, 60));
  const full = read('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n');
  assert.deepEqual(full, { state: 'refused', why: '503', retryAfterMs: 2000 });
});

test('a request asks for the path with its query, and carries extra headers', () => {
  const request = handshakeRequest(new URL('ws://host:81/ws/tea?x=1'), 'key', { Origin: 'http://a' });
  assert.ok(request.startsWith('GET /ws/tea?x=1 HTTP/1.1\r\nHost: host:81\r\n'));
  assert.ok(request.endsWith('Sec-WebSocket-Key: key\r\nOrigin: http://a\r\n\r\n'));
});

/** Downloads over real sockets: headers, caches, and clients that leave or do not read. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { until } from '../../testing/until.ts';
import { sendImage } from './download.ts';
import { address, image, TestMedia } from './media.fixture.ts';
import { MediaStore } from './media-store.ts';

/** Larger than what the kernel takes for a client that does not read. */
const hugeBytes = 64 * 1024 ** 2;

/** Puts a file where an image would stand. */
function place(media: TestMedia, bytes: Buffer): string {
  const { path } = address();
  mkdirSync(dirname(media.directory + path), { recursive: true });
  writeFileSync(media.directory + path, bytes);
  return path;
}

test('an image is cached for ever, is never sniffed, and runs nothing', async () => {
  await using media = await TestMedia.start();
  const path = place(media, image('image/png', 1_000));
  for (const method of ['GET', 'HEAD']) {
    const answer = await media.get(path, { method });
    assert.equal(answer.status, 200);
    const { headers } = answer;
    assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(headers.get('etag'), `"${basename(path)}"`);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox");
    assert.equal(headers.get('content-disposition'), `inline; filename="${basename(path)}"`);
    assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin');
    assert.equal(headers.get('content-length'), '1000');
    assert.equal((await answer.arrayBuffer()).byteLength, method === 'GET' ? 1_000 : 0);
  }
});

test('who has an image already is told so in a few bytes', async () => {
  await using media = await TestMedia.start();
  const path = place(media, image('image/png'));
  const etag = `"${basename(path)}"`;
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await media.get(path, { headers: { 'if-none-match': known } });
    assert.deepEqual([answer.status, answer.headers.get('etag')], [304, etag], known);
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
  }
  assert.equal((await media.get(path, { headers: { 'if-none-match': '"x"' } })).status, 200);
});

test('an answer that is no image is never cached, and says what is wrong', async () => {
  await using media = await TestMedia.start();
  const { path } = address();
  const missing = await media.get(path);
  assert.deepEqual([missing.status, missing.headers.get('cache-control')], [404, 'no-store']);
  assert.equal(missing.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(await missing.text(), 'there is no image at this address\n');
  const head = await media.get(path, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [404, '']);
  assert.equal(await media.metric('chat_media_downloads_total{status="404"}'), 2);
});

test('a directory or a pipe in the place of an image is none, and nobody waits for it', async () => {
  await using media = await TestMedia.start();
  const [asDirectory, asPipe] = [address(), address()];
  for (const { path } of [asDirectory, asPipe])
    mkdirSync(dirname(media.directory + path), { recursive: true });
  mkdirSync(media.directory + asDirectory.path);
  execFileSync('mkfifo', [media.directory + asPipe.path]);
  for (const { path } of [asDirectory, asPipe]) assert.equal((await media.get(path)).status, 404);
});

test('a client that leaves in the middle leaves nothing open', async () => {
  await using media = await TestMedia.start();
  const path = place(media, Buffer.alloc(hugeBytes));
  for (let leaving = 0; leaving < 5; leaving++) {
    const socket = media.raw(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
  }
  await until(async () => (await media.metric('chat_media_downloads_open')) === 0, 'nothing is open');
  assert.ok((await media.metric('chat_media_sent_bytes_total')) < 5 * hugeBytes);
});

test('a client that has gone before the first byte leaves no file open', async () => {
  await using media = await TestMedia.start();
  const path = place(media, image('image/png', 1_000));
  const store = await MediaStore.open(media.directory);
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  const response = new ServerResponse(request);
  response.destroy();
  let opened: FileHandle | undefined;
  const find = async () => {
    const found = await store.find(path);
    opened = found?.handle;
    return found;
  };
  assert.equal(await sendImage(path, request, response, { find }), 0);
  assert.equal(opened?.fd, -1, 'it is closed');
});

test('a client that does not read is cut off in time, and meanwhile takes one place only', async () => {
  await using media = await TestMedia.start({ mediaDownloadsMax: 1, mediaTransferTimeoutMs: 400 });
  const path = place(media, Buffer.alloc(hugeBytes));
  const socket = media.raw(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await once(socket, 'readable');
  const other = await media.get(path);
  assert.deepEqual([other.status, other.headers.get('retry-after')], [503, '1']);
  await until(async () => (await media.metric('chat_media_downloads_open')) === 0, 'nothing is open');
  socket.destroy();
  assert.equal((await media.get(path, { method: 'HEAD' })).status, 200);
});

test('health and metrics are on a port of their own', async () => {
  await using media = await TestMedia.start();
  assert.equal((await media.internal('/healthz')).status, 200);
  assert.equal((await media.internal('/readyz')).status, 200);
  assert.equal((await media.get('/metrics')).status, 404);
  const metrics = await (await media.internal('/metrics')).text();
  assert.match(metrics, /^chat_build_info\{stage="test",node="v24/m);
});

test('a drain lets an upload under way finish, and takes no other', async () => {
  const media = await TestMedia.start();
  const { path, target } = address();
  const body = image('image/png', 1_000);
  const kept = media.raw(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await once(kept, 'data');
  const socket = media.raw(
    `PUT ${target} HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.subarray(0, 100));
  await until(() => media.quarantined.length === 1, 'an upload under way');
  const drained = media[Symbol.asyncDispose]();
  assert.equal((await media.internal('/readyz')).status, 503);
  await assert.rejects(media.put(address().target, body));
  socket.write(body.subarray(100));
  const answer = String(Buffer.concat(await socket.toArray()));
  assert.match(answer, /^HTTP\/1.1 201 /);
  await drained;
});

test('a drain cuts an upload that is late, and leaves nothing of it', async () => {
  await using media = await TestMedia.start({ drainDeadlineMs: 200 });
  const socket = media.raw(
    `PUT ${address().target} HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 9999\r\n\r\n`,
  );
  await until(() => media.quarantined.length === 1, 'an upload under way');
  assert.deepEqual(await media.server.drain(), { finishedRequests: 0, cutRequests: 1 });
  assert.deepEqual(media.quarantined, []);
  assert.equal((await socket.toArray()).length, 0);
});

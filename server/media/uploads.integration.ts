/** Uploads over real sockets: what is taken, and what each offence is answered. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { imageTypes } from '#protocol';
import { until } from '../../testing/until.ts';
import { address, image, putHead, TestMedia } from './media.fixture.ts';

const sizes = [[64], [65_536], [100_000]] as const;

test('an image of each type is stored whole, and served as it came', async () => {
  await using media = await TestMedia.start();
  for (const type of imageTypes) {
    for (const [bytes] of sizes) {
      const { path, target } = address({ type });
      const body = image(type, bytes);
      const stored = await media.put(target, body, { 'content-type': type });
      assert.deepEqual([stored.status, stored.headers.get('location')], [201, path]);
      const served = await media.get(path);
      assert.equal(served.headers.get('content-type'), type);
      assert.ok(Buffer.from(await served.arrayBuffer()).equals(body));
    }
  }
  assert.deepEqual(media.quarantined, []);
  const total = 4 * (64 + 65_536 + 100_000);
  assert.equal(await media.metric('chat_media_uploads_total{status="201"}'), 12);
  assert.equal(await media.metric('chat_media_bytes_total'), total);
  assert.equal(await media.metric('chat_media_received_bytes_total'), total);
  assert.equal(await media.metric('chat_media_sent_bytes_total'), total);
  assert.equal(await media.metric('chat_media_uploads_open'), 0);
  assert.ok((await media.metric('chat_media_free_bytes')) > 0);
});

test('an upload that is replayed is refused, and the image stays', async () => {
  await using media = await TestMedia.start();
  const { path, target } = address();
  const [first, second] = [image('image/png'), image('image/png')];
  assert.equal((await media.put(target, first)).status, 201);
  const replayed = await media.put(target, second);
  assert.equal(replayed.status, 409);
  assert.match(await replayed.text(), /stands at this address already/);
  assert.ok(Buffer.from(await (await media.get(path)).arrayBuffer()).equals(first));
});

test('of two uploads to one address at the same time, one is stored', async () => {
  await using media = await TestMedia.start();
  const { path, target } = address();
  const bodies = [image('image/png', 100_000), image('image/png', 100_000)] as const;
  const statuses = await Promise.all(bodies.map(async (body) => (await media.put(target, body)).status));
  assert.equal(statuses.filter((status) => status === 201).length, 1, String(statuses));
  const served = Buffer.from(await (await media.get(path)).arrayBuffer());
  assert.ok(served.equals(bodies[statuses.indexOf(201)]!));
  assert.deepEqual(media.quarantined, []);
});

test('an upload without a length, too large, or of another type is refused, each with its sentence', async () => {
  await using media = await TestMedia.start({ mediaBytesMax: 2_000 });
  const png = image('image/png');
  const refused = async (status: number, sentence: RegExp, bytes: string | Buffer) => {
    const answer = await media.rawAnswer(bytes);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), answer);
    assert.match(answer, sentence);
  };
  const { target } = address({ bytesMax: 1_000 });
  const chunked = `${putHead(target, { 'transfer-encoding': 'chunked' })}0\r\n\r\n`;
  await refused(411, /Content-Length/, chunked);
  await refused(
    413,
    /at most 1000 bytes; Content-Length says 1001/,
    putHead(target, { 'content-length': 1_001 }),
  );
  const large = address({ bytesMax: 5_000 });
  await refused(413, /at most 2000 bytes/, putHead(large.target, { 'content-length': 3_000 }));
  await refused(
    415,
    /Content-Type image\/png/,
    putHead(target, { 'content-length': 9, 'content-type': 'image/gif' }),
  );
  await refused(415, /Content-Type image\/png/, putHead(target, { 'content-length': 9, 'content-type': '' }));
  await refused(400, /^/, putHead(target, { 'content-length': '-1' }));
  await refused(400, /^/, putHead(target, { 'content-length': 9, 'transfer-encoding': 'chunked' }));
  await refused(415, /no image\/png/, `${putHead(target, { 'content-length': 0 })}`);
  await refused(431, /^/, putHead(target, { 'x-long': 'x'.repeat(9_000) }));
  // What is behind the length is another request, not part of the image.
  const more = `GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
  const head = putHead(target, { 'content-length': png.length, connection: 'keep-alive' });
  await refused(201, /HTTP\/1.1 404 /, Buffer.concat([Buffer.from(head), png, Buffer.from(more)]));
});

test('an upload that ends early leaves nothing, and its address can be used again', async () => {
  await using media = await TestMedia.start();
  const { path, target } = address();
  const body = image('image/png', 100_000);
  for (const sent of [0, 8, 16, 50_000, 99_999]) {
    const socket = media.raw(
      Buffer.concat([
        Buffer.from(putHead(target, { 'content-length': body.length })),
        body.subarray(0, sent),
      ]),
    );
    await until(() => media.quarantined.length === 1, 'an upload under way');
    assert.equal((await media.get(path)).status, 404, 'nothing half is served');
    if (sent % 2 === 0) socket.destroy();
    else socket.end();
    await until(() => media.quarantined.length === 0, 'what was cut off is gone');
  }
  await until(
    async () => (await media.metric('chat_media_uploads_total{status="aborted"}')) === 5,
    'five uploads counted as broken off',
  );
  assert.equal((await media.put(target, body)).status, 201);
  assert.equal(await media.metric('chat_media_bytes_total'), 100_000);
});

test('an upload that is too slow is answered 408, and its place is free again', async () => {
  await using media = await TestMedia.start({ mediaTransferTimeoutMs: 300, mediaUploadsMax: 1 });
  const { path, target } = address();
  const body = image('image/png', 1_000);
  const socket = media.raw(putHead(target, { 'content-length': body.length }));
  const dripping = setInterval(() => socket.write('x'), 20);
  socket.write(body.subarray(0, 100));
  await until(() => media.quarantined.length === 1, 'an upload under way');
  const other = await media.put(address().target, body);
  assert.deepEqual([other.status, other.headers.get('retry-after')], [503, '1']);
  assert.match(await other.text(), /1 uploads are under way/);
  const chunks = await socket.toArray();
  clearInterval(dripping);
  assert.match(String(Buffer.concat(chunks)), /^HTTP\/1.1 408 .*took longer than 300 ms/s);
  assert.equal((await media.get(path)).status, 404);
  assert.deepEqual(media.quarantined, []);
  assert.equal((await media.put(target, body)).status, 201);
});

test('what one user uploads is bounded at a time and in a day; others are not concerned', async () => {
  await using media = await TestMedia.start({ mediaUserUploadsMax: 1, mediaUserDayBytesMax: 1_024 });
  const body = image('image/png', 600);
  const socket = media.raw(putHead(address().target, { 'content-length': 600 }));
  await until(() => media.quarantined.length === 1, 'an upload under way');
  const second = await media.put(address().target, body);
  assert.equal(second.status, 429);
  assert.match(await second.text(), /uploads of yours are under way/);
  assert.equal((await media.put(address({ user: 'bob' }).target, body)).status, 201);
  socket.end(body);
  await until(() => media.quarantined.length === 0, 'what was cut off is gone');
  const third = await media.put(address().target, body);
  assert.equal(third.status, 429);
  assert.match(await third.text(), /at most 1024 bytes a day/);
  const waitSeconds = Number(third.headers.get('retry-after'));
  assert.ok(waitSeconds >= 1 && waitSeconds <= 86_400, String(waitSeconds));
  assert.equal((await media.put(address().target, body.subarray(0, 424))).status, 201);
});

test('a reserve of the disk stays free: 507', async () => {
  await using media = await TestMedia.start({ mediaFreeBytesMin: 1024 ** 5 });
  const answer = await media.put(address().target, image('image/png'));
  assert.equal(answer.status, 507);
  assert.match(await answer.text(), /disk of the images is full/);
});

test('a client that asks first (Expect) is told to go on only where its upload is granted', async () => {
  await using media = await TestMedia.start();
  const { target } = address();
  const body = image('image/png');
  const asking = { expect: '100-continue', 'content-length': body.length };
  const refused = await media.rawAnswer(putHead(target.replace('ann', 'bob'), asking));
  assert.match(refused, /^HTTP\/1.1 403 /);
  const socket = media.raw(putHead(target, asking));
  const [first] = await once(socket, 'data');
  assert.match(String(first), /^HTTP\/1.1 100 /);
  socket.write(body);
  const [second] = await once(socket, 'data');
  assert.match(String(second), /^HTTP\/1.1 201 /);
  socket.destroy();
});

test('a large upload that is refused hears why, although it is still writing', async () => {
  await using media = await TestMedia.start();
  const { target } = address({ bytesMax: 50_000_000 });
  const answer = await media.put(target, Buffer.alloc(20_000_000));
  assert.equal(answer.status, 413);
});

test('a page may upload only from the origins that are configured', async () => {
  await using media = await TestMedia.start({ mediaOrigins: ['https://chat.example'] });
  const ask = (origin: string) =>
    media.get(address().target, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
  const good = await ask('https://chat.example');
  assert.equal(good.status, 204);
  assert.equal(good.headers.get('access-control-allow-origin'), 'https://chat.example');
  assert.equal(good.headers.get('access-control-allow-methods'), 'PUT');
  assert.equal(good.headers.get('access-control-allow-headers'), 'content-type');
  assert.equal(good.headers.get('vary'), 'origin');
  for (const origin of ['https://evil.example', 'null', 'https://chat.example.evil.example']) {
    const bad = await ask(origin);
    assert.deepEqual([bad.status, bad.headers.get('access-control-allow-origin')], [403, null], origin);
    assert.equal((await media.put(address().target, image('image/png'), { origin })).status, 403);
  }
  const { target, path } = address();
  const put = await media.put(target, image('image/png'), { origin: 'https://chat.example' });
  assert.deepEqual(
    [put.status, put.headers.get('access-control-allow-origin')],
    [201, 'https://chat.example'],
  );
  const shown = await media.get(path, { headers: { origin: 'https://elsewhere.example' } });
  assert.deepEqual([shown.status, shown.headers.get('access-control-allow-origin')], [200, null]);
});

test('a method that is not offered is answered 405', async () => {
  await using media = await TestMedia.start();
  for (const method of ['POST', 'DELETE', 'PATCH']) {
    const answer = await media.get(address().target, { method });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, HEAD, PUT, OPTIONS']);
  }
});

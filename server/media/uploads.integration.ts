/** Uploads over real sockets: what is taken, and what each offence is answered. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { imageTypes } from '#protocol';
import { address, image, key, putHead, TestMedia } from './media.fixture.ts';

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

test('each change of a signed address is refused, before anything else is looked at', async () => {
  await using media = await TestMedia.start();
  const { path, target, bytesMax, expiresAtMs } = address();
  const changes: [string, number][] = [
    [target.replace(`bytes=${bytesMax}`, `bytes=${bytesMax + 1}`), 403],
    [target.replace(`expires=${expiresAtMs}`, `expires=${expiresAtMs + 1}`), 403],
    [target.replace('user=ann', 'user=bob'), 403],
    [target.replace(path, path.replace('.png', '.gif')), 403],
    [target.replace(path, address().path), 403],
    [target.replace(/signature=./, (start) => (start.endsWith('A') ? 'signature=B' : 'signature=A')), 403],
    [address({}, 'x'.repeat(32)).target, 403],
    [address({ expiresAtMs: Date.now() - 1 }).target, 403],
    [path, 400],
    [`${target}&x=1`, 400],
    [`${target}?`, 400],
    [target.replace('?bytes', '?bytes=1&bytes'), 400],
    ['/', 400],
    [target.replace('bytes=', 'bytes=0'), 400],
    [target.slice(0, -1), 400],
  ];
  for (const [changed, status] of changes) {
    // Wrong type and no length, too: those are not told to somebody without a signature.
    const answer = await media.rawAnswer(putHead(changed, { 'content-type': 'x/y' }));
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${changed}\n${answer}`);
  }
  assert.deepEqual(readdirSync(media.directory), ['quarantine']);
});

test('a path that leads elsewhere is none, however it is written', async () => {
  await using media = await TestMedia.start();
  const name = address().path;
  const outside = join(dirname(media.directory), 'outside.png');
  const paths = [
    '/../outside.png',
    '/ab/../../outside.png',
    '/%2e%2e/outside.png',
    '/ab/cd/..%2f..%2f..%2foutside.png',
    '/ab/cd/%2e%2e%5coutside.png',
    '/ab/cd/%252e%252e/outside.png',
    `/${'quarantine'}/x.png`,
    `/${name}`,
    `${name}/`,
    `${name}%00.png`,
    `${name}.png`,
    name.toUpperCase(),
    name.replace('/', '\\'),
    `/ab/cd/${'0'.repeat(32)}.png`,
    '//etc/passwd',
    'http://x/etc/passwd',
    '*',
  ];
  for (const path of paths) {
    // Signed well: the signature of a node that was led astray would not help either.
    const { target } = address({ path });
    const body = image('image/png');
    const put = await media.rawAnswer(
      Buffer.concat([Buffer.from(putHead(target, { 'content-length': body.length })), body]),
    );
    assert.match(put, /^HTTP\/1.1 400 /, path);
    const get = await media.rawAnswer(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    assert.match(get, /^HTTP\/1.1 40[04] /, path);
  }
  assert.throws(() => readFileSync(outside), /ENOENT/);
  assert.deepEqual(readdirSync(media.directory), ['quarantine']);
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

test('bytes of another type than the address says are refused, and nothing is kept', async () => {
  await using media = await TestMedia.start();
  const html = Buffer.from('<html><script>alert(1)</script></html>'.padEnd(200));
  const polyglots: [(typeof imageTypes)[number], Buffer][] = [
    ['image/png', html],
    ['image/png', Buffer.concat([html, image('image/png')])],
    ['image/png', Buffer.concat([Buffer.from('\n'), image('image/png')])],
    ['image/png', image('image/png').subarray(0, 8)],
    ['image/png', Buffer.concat([image('image/png').subarray(0, 8), html])],
    ['image/png', image('image/gif')],
    ['image/jpeg', Buffer.concat([Buffer.from('ffd8ff', 'hex'), html])],
    ['image/jpeg', Buffer.from('ffd8', 'hex')],
    ['image/gif', Buffer.from('GIF89b=1;alert(1)//'.padEnd(100))],
    ['image/gif', Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(20)])],
    ['image/webp', Buffer.from('RIFF....WEBPVP8 '.padEnd(100))],
    ['image/webp', image('image/webp', 100).subarray(0, 99)],
  ];
  for (const [type, body] of polyglots) {
    const { path, target } = address({ type });
    const answer = await media.put(target, body, { 'content-type': type });
    assert.equal(answer.status, 415, `${type} ${body.subarray(0, 20)}`);
    assert.match(await answer.text(), new RegExp(`no ${type}`));
    assert.equal((await media.get(path)).status, 404);
  }
  assert.deepEqual(media.quarantined, []);
  assert.equal(await media.metric('chat_media_uploads_total{status="415"}'), polyglots.length);
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
    await until(() => media.quarantined.length === 1);
    assert.equal((await media.get(path)).status, 404, 'nothing half is served');
    if (sent % 2 === 0) socket.destroy();
    else socket.end();
    await until(() => media.quarantined.length === 0);
  }
  await until(async () => (await media.metric('chat_media_uploads_total{status="aborted"}')) === 5);
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
  await until(() => media.quarantined.length === 1);
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
  await until(() => media.quarantined.length === 1);
  const second = await media.put(address().target, body);
  assert.equal(second.status, 429);
  assert.match(await second.text(), /uploads of yours are under way/);
  assert.equal((await media.put(address({ user: 'bob' }).target, body)).status, 201);
  socket.end(body);
  await until(() => media.quarantined.length === 0);
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

test('links in the directory are not followed: neither to read nor to write', async () => {
  await using media = await TestMedia.start();
  const outside = mkdtempSync(join(tmpdir(), 'chat-outside-'));
  try {
    const secret = join(outside, 'secret');
    writeFileSync(secret, image('image/png'));
    // A link in place of an image.
    const linked = address();
    mkdirSync(dirname(media.directory + linked.path), { recursive: true });
    symlinkSync(secret, media.directory + linked.path);
    assert.equal((await media.get(linked.path)).status, 404);
    assert.equal((await media.put(linked.target, image('image/png'))).status, 409);
    // A link in place of a directory.
    const { path, target } = address();
    const inside = join(outside, 'in', path.slice(3, 6), path.slice(6));
    mkdirSync(dirname(inside), { recursive: true });
    rmSync(media.directory + path.slice(0, 3), { recursive: true, force: true });
    symlinkSync(join(outside, 'in'), media.directory + path.slice(0, 3));
    writeFileSync(inside, image('image/png'));
    assert.equal((await media.get(path)).status, 404);
    rmSync(inside);
    assert.equal((await media.put(target, image('image/png'))).status, 500);
    assert.throws(() => readFileSync(inside), /ENOENT/, 'nothing was written elsewhere');
    assert.deepEqual(media.quarantined, []);
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test('what a killed server left in quarantine is removed at the start; what is young may be another’s', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-media-'));
  try {
    const quarantine = join(directory, 'quarantine');
    mkdirSync(quarantine);
    for (const name of ['old', 'young']) writeFileSync(join(quarantine, name), 'half');
    const longAgo = Date.now() / 1000 - 3_600;
    utimesSync(join(quarantine, 'old'), longAgo, longAgo);
    await using media = await TestMedia.start({ mediaDirectory: directory });
    assert.deepEqual(media.quarantined, ['young']);
    assert.equal(await media.metric('chat_media_swept_total'), 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('neither a key nor an address is logged, whatever happens', async () => {
  await using media = await TestMedia.start();
  const { target, path } = address();
  await media.put(target, image('image/png'));
  await media.put(target, image('image/png'));
  const broken = address();
  symlinkSync('/nowhere', media.directory + broken.path.slice(0, 3));
  assert.equal((await media.put(broken.target, image('image/png'))).status, 500);
  const log = media.log.join('');
  assert.match(log, /request failed/);
  for (const secret of [key, 'signature', path, broken.path]) assert.ok(!log.includes(secret), secret);
});

/** Waits until a condition holds. The time limit of the test is the bound. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

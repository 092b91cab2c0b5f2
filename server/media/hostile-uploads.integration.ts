/** Uploads that are meant to do harm, over real sockets: nothing of them is kept, logged or put elsewhere. */
import assert from 'node:assert/strict';
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
import type { ImageType } from '#protocol';
import { address, image, key, putHead, TestMedia } from './media.fixture.ts';

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

test('bytes of another type than the address says are refused, and nothing is kept', async () => {
  await using media = await TestMedia.start();
  const html = Buffer.from('<html><script>alert(1)</script></html>'.padEnd(200));
  const polyglots: [ImageType, Buffer][] = [
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

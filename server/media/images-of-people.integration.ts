/** From the login to the image: a node of the real stage, the media server beside it, one key for both. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeFilenames, encodeLogin, parseFilenamesAck } from '#protocol';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { secretFile } from '../../testing/secret-file.ts';
import { ServerProcess } from '../../testing/server.ts';
import { image, key } from './media.fixture.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
const directory = mkdtempSync(join(tmpdir(), 'chat-media-'));
after(async () => {
  rmSync(directory, { recursive: true });
  await redis?.[Symbol.asyncDispose]();
});

test('who is logged in gets addresses, uploads there, and everybody sees the image', { skip }, async () => {
  const secret = ['--media-secret-file', secretFile(key)];
  const ofMedia = ['--role', 'media', '--media-directory', directory, '--media-free-size-min', '0B'];
  await using media = await ServerProcess.start('07', [...secret, ...ofMedia]);
  const ofNode = ['--redis-url', redis!.url, '--redis-namespace', 'images', '--media-url', media.origin];
  await using node = await ServerProcess.start('07', [...secret, ...ofNode, '--log-level', 'debug']);
  const account = { user: 'ann', password: 'correct-horse-battery' };
  const registered = await fetch(`${node.origin.replace(/^ws/, 'http')}/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  });
  assert.equal(registered.status, 201);
  const request = encodeFilenames({ count: 2, contentType: 'image/gif', bytes: 1_000 });

  const stranger = await Person.join(node.url('tea'), 'stranger');
  stranger.ws.send(request);
  assert.equal((await stranger.closed).code, 1008, 'nobody without a login gets an address');

  const ann = await Person.join(node.url('tea'), 'ann');
  ann.ws.send(encodeLogin({ ...account, device: 'phone' }));
  await ann.hears(1);
  ann.ws.send(request);
  await ann.hears(2);
  const ack = parseFilenamesAck(ann.heard[1]!);
  assert.ok(ack?.result === 'ok' && ack.uploads.length === 2);
  const [first] = ack.uploads;
  const body = image('image/gif', 1_000);
  const put = () => {
    const headers = { 'content-type': 'image/gif' };
    return fetch(first!.upload, { method: 'PUT', body: new Uint8Array(body), headers });
  };
  assert.deepEqual([(await put()).status, (await put()).status], [201, 409]);
  const shown = await fetch(first!.image);
  assert.equal(shown.headers.get('content-type'), 'image/gif');
  assert.ok(Buffer.from(await shown.arrayBuffer()).equals(body));
  await node.reaches('chat_media_filenames_total{result="ok"}', 1);
  await media.reaches('chat_media_bytes_total', 1_000);
  const logs = JSON.stringify([node.log, media.log]);
  for (const secretText of [key, 'signature', new URL(first!.image).pathname])
    assert.ok(!logs.includes(secretText), secretText);
});

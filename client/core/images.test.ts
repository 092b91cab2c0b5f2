import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import { imageTypeOf } from './images.ts';
import { closeAll, logIn } from './person-client.fixture.ts';
import { PersonServer } from './person-server.fixture.ts';

afterEach(closeAll);

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);

test('an image goes to the address that the server gave, and its own address comes back', async () => {
  await using server = await PersonServer.start('alice');
  const { person } = await logIn(server, 'alice');
  const origin = server.url.replace(/^ws(.*)\/ws$/, 'http$1');
  const put: { method: string | undefined; type: string | undefined; body: Buffer }[] = [];
  let status = 201;
  server.room.answer = (request, response) => {
    void buffer(request).then((body) => {
      put.push({ method: request.method, type: request.headers['content-type'], body });
      response.writeHead(status).end(status === 201 ? '' : 'this name is taken\n');
    });
    return true;
  };
  server.other = ({ socket }, { type, bytes }) => {
    assert.equal(type, 'filenames');
    const uploads = [{ upload: `${origin}/up?signature=x`, image: `${origin}/images/a.png` }];
    const ack =
      bytes === png.length
        ? { result: 'ok', uploads, expiresAtMs: 5 }
        : { result: 'too_large', detail: 'at most 11 bytes', bytesMax: png.length };
    socket.send(JSON.stringify({ type: 'filenames_ack', ...ack }));
  };
  const [first, second] = await Promise.all([person.images.upload(png), person.images.upload(png)]);
  assert.deepEqual([first, second], Array(2).fill({ result: 'ok', url: `${origin}/images/a.png` }));
  assert.deepEqual(put[0], { method: 'PUT', type: 'image/png', body: Buffer.from(png) });
  status = 409;
  const detail = 'the media server answered HTTP 409: this name is taken';
  assert.deepEqual(await person.images.upload(png), { result: 'failed', detail });
  const large = new Uint8Array([...png, 4]);
  assert.deepEqual(await person.images.upload(large), { result: 'failed', detail: 'at most 11 bytes' });
  server.other = () => server.room.cutAll();
  const lost = await person.images.upload(png);
  assert.match(lost.result === 'failed' ? lost.detail : '', /connection was lost/);
});

test('the type of an image is in its first bytes, whatever its name is', async () => {
  const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  assert.equal(imageTypeOf(png), 'image/png');
  assert.equal(imageTypeOf(bytesOf('\xff\xd8\xff\xe0 JFIF')), 'image/jpeg');
  assert.equal(imageTypeOf(bytesOf('GIF89a......')), 'image/gif');
  assert.equal(imageTypeOf(bytesOf('RIFF\x01\x02\x03\x04WEBPVP8 ')), 'image/webp');
  for (const text of ['', 'GIF', 'RIFF....WAVE', '<svg xmlns=', '\x89PNG\n'])
    assert.equal(imageTypeOf(bytesOf(text)), undefined, text);
  await using server = await PersonServer.start('alice');
  const { person } = await logIn(server, 'alice');
  const refused = await person.images.upload(bytesOf('<svg/>'));
  assert.match(
    refused.result === 'failed' ? refused.detail : '',
    /required is a file in JPEG, PNG, GIF or WebP/,
  );
});

/** The chat page over HTTP, of the real process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Person } from '../../testing/person.ts';
import { rawConnection } from '../../testing/raw-session.ts';
import { ServerProcess } from '../../testing/server.ts';
import { stages } from '../stages/index.ts';
import { isBounded } from '../stages/stage.ts';

const urlOf = (server: ServerProcess, path: string) => server.origin.replace(/^ws/, 'http') + path;

for (const stage of stages) {
  if (stage.services.length > 0) continue; // They compose the same gateway.
  test(`${stage.name} ${isBounded(stage) ? 'serves' : 'does not serve'} the page`, async () => {
    await using server = await ServerProcess.start(stage.name);
    const answer = await fetch(urlOf(server, '/'));
    assert.equal(answer.status, isBounded(stage) ? 200 : 404);
    const listening = server.log.find(({ event }) => event === 'listening');
    assert.equal(listening?.page, isBounded(stage) ? urlOf(server, '/') : undefined);
    assert.deepEqual(
      server.log.filter(({ level }) => level !== 'info'),
      [],
    );
  });
}

test('its headers allow nothing inline and nothing from elsewhere, and a copy that is still good costs no body', async () => {
  await using server = await ServerProcess.start('03-cursor');
  const { headers } = await fetch(urlOf(server, '/?a=b'));
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
  assert.doesNotMatch(policy, /unsafe|\*|http|data:/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('connection'), 'close');
  const etag = headers.get('etag')!;
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`]) {
    const again = await fetch(urlOf(server, '/'), { headers: { 'if-none-match': tags } });
    assert.deepEqual([again.status, await again.text()], [304, ''], tags);
  }
  const changed = await fetch(urlOf(server, '/'), { headers: { 'if-none-match': '"other"' } });
  assert.equal(changed.status, 200);
  const head = await fetch(urlOf(server, '/'), { method: 'HEAD' });
  const length = Number(head.headers.get('content-length'));
  assert.deepEqual([head.status, await head.text()], [200, '']);
  assert.equal(length, Buffer.byteLength(await changed.text()));
});

test('other methods, other paths, and files that are not of the page are 404', async () => {
  await using server = await ServerProcess.start('03-cursor');
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    assert.equal((await fetch(urlOf(server, '/'), { method })).status, 404, method);
  const paths = ['/page', '/page/', '/page/client/web/', '/page/package.json', '/page/server/main.ts'];
  for (const path of [...paths, '/page/client/web/index.html', '/client/web/main.ts', '/favicon.ico'])
    assert.equal((await fetch(urlOf(server, path))).status, 404, path);
  // `fetch` would resolve the dots itself.
  const raw = await rawConnection(server);
  raw.write('GET /page/client/web/../../package.json HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await text(raw), /^HTTP\/1\.1 404 /);
});

test('it can be switched off', async () => {
  await using server = await ServerProcess.start('03-cursor', ['--web-page', 'off']);
  for (const path of ['/', '/page/client/web/main.ts'])
    assert.equal((await fetch(urlOf(server, path))).status, 404, path);
});

test('requests beyond the bound are refused with 503 and counted, and nobody in the chat notices', async () => {
  await using server = await ServerProcess.start('03-cursor', ['--web-page-requests-max', '2']);
  const alice = await Person.join(server.url(), 'alice');
  // The files are not ready yet, so that all of these are under way at a time.
  const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(urlOf(server, '/'))));
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(answers.every(({ status }) => status === 200 || status === 503));
  assert.ok(refused.length > 0 && refused.length <= 8, `${refused.length} refused`);
  assert.equal(refused[0]!.headers.get('retry-after'), '1');
  assert.equal((await server.metrics())('chat_rejections_total{reason="page"}'), refused.length);
  assert.equal((await fetch(urlOf(server, '/'))).status, 200);
  alice.say('still here');
  await alice.hears(1);
});

test('a connection gets one answer, whatever it asks at once', async () => {
  await using server = await ServerProcess.start('03-cursor');
  const raw = await rawConnection(server);
  const closed = once(raw, 'close');
  const heard = text(raw);
  raw.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
  await closed;
  assert.equal((await heard).split('HTTP/1.1 200').length - 1, 1);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createAccountEndpoint } from './account-endpoint.ts';
import type { AccountOptions } from './account-settings.ts';
import { accountsForTest } from './accounts.fixture.ts';

async function setUp(changes: Partial<AccountOptions> = {}) {
  const { accounts, counts } = accountsForTest(changes);
  const endpoint = createAccountEndpoint({
    accounts,
    isAllowedOrigin: (origin) => origin !== 'https://evil.example',
    hasToken: ({ url }) => !url!.includes('stranger'),
    addressOf: ({ socket }) => socket.remoteAddress!,
  });
  const server = createServer(endpoint).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/accounts`;
  const post = async (body: unknown, { headers = {}, method = 'POST', query = '' } = {}) => {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const sent = { 'content-type': 'application/json', ...headers };
    const response = await fetch(url + query, {
      method,
      headers: sent,
      ...(method !== 'GET' && { body: text }),
    });
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { accounts, counts, url, post, [Symbol.asyncDispose]: close };
}

const bob = { user: 'bob', password: 'correct horse' };

test('an account is created once', async () => {
  await using setup = await setUp();
  const { post } = setup;
  const created = await post(bob, { headers: { 'content-type': 'application/json; charset=utf-8' } });
  assert.deepEqual([created.status, created.body], [201, '{"user":"bob"}\n']);
  assert.equal(created.headers.get('connection'), 'close');
  const taken = await post({ ...bob, password: 'another one' });
  assert.deepEqual([taken.status, taken.body], [409, 'this user name is taken\n']);
});

test('every mistake has its status and its sentence, and none of them repeats the password', async () => {
  await using setup = await setUp();
  const { post, counts } = setup;
  const status = async (...sent: Parameters<typeof post>) => {
    const answer = await post(...sent);
    assert.match(answer.body, /^[ -~]+\n$/);
    assert.ok(!answer.body.includes('horse'));
    return answer.status;
  };
  for (const body of ['', 'null', '[]', '"bob"', '{', '{}', '{"user":"bob"}', new Uint8Array([0x7b, 0xff])])
    assert.equal(await status(body), 400, String(body));
  for (const change of [{ user: 'Bob' }, { user: 7 }, { password: 'short' }, { password: ['x'.repeat(10)] }])
    assert.equal(await status({ ...bob, ...change }), 400, JSON.stringify(change));
  assert.equal(await status({ ...bob, more: 'x'.repeat(5000) }), 413);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    '',
  ])
    assert.equal(await status(bob, { headers: { 'content-type': type } }), 415, type);
  assert.equal(await status(bob, { method: 'PUT' }), 405);
  assert.equal(await status('', { method: 'GET' }), 405);
  assert.equal(await status(bob, { headers: { origin: 'https://evil.example' } }), 403);
  assert.equal(await status(bob, { query: '?stranger' }), 401);
  assert.deepEqual(Object.keys(await counts('chat_accounts_total')), ['malformed']);
});

test('a body without a length is cut at the bound, and one that never ends keeps nobody waiting', async () => {
  await using setup = await setUp();
  const sent = request(setup.url, { method: 'POST', headers: { 'content-type': 'application/json' } });
  sent.on('error', () => {}); // The server stops reading.
  sent.write('{"user":"bob","password":"');
  for (let n = 0; n < 100; n++) sent.write('x'.repeat(1000));
  const [response] = await once(sent, 'response');
  assert.equal(response.statusCode, 413);
  sent.destroy();
});

test('who was too busy is told when to come back; where registration is closed it is 403', async () => {
  await using setup = await setUp({ registrationsPerAddressMax: 1 });
  assert.equal((await setup.post(bob)).status, 201);
  const limited = await setup.post({ ...bob, user: 'eve' });
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers.get('retry-after')) > 0);
  // One hash takes longer than all requests take to come in.
  const slow = { passwordMemoryBytes: 64 * 1024 ** 2, passwordPasses: 2 };
  const narrow = { loginsAtOnce: 1, loginsWaitingMax: 1, registrationsPerAddressMax: 100 };
  await using busy = await setUp({ ...slow, ...narrow });
  const many = Array.from({ length: 20 }, (_unused, n) => busy.post({ ...bob, user: `u${n}` }));
  const answers = await Promise.all(many);
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} refused`);
  for (const { headers } of refused) assert.ok(Number(headers.get('retry-after')) > 0);
  await using closed = await setUp({ registration: 'closed' });
  assert.equal((await closed.post(bob)).status, 403);
});

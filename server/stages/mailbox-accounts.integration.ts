/** Accounts of the real process with a real Redis: two nodes, one restart, and no secret anywhere. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { encodeLogin } from '#protocol';
import { Person, refusedAt } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ServerProcess } from '../../testing/server.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const bob = { user: 'bob', password: 'correct-horse-battery', device: 'phone' };
const start = (...args: string[]) =>
  ServerProcess.start('07-mailbox', [
    ...['--redis-url', redis!.url, '--redis-namespace', 'accounts', '--log-level', 'debug'],
    ...args,
  ]);
const register = (server: ServerProcess) =>
  fetch(`${server.origin.replace(/^ws/, 'http')}/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: bob.user, password: bob.password }),
  });

test('who registered on one node logs in on another, and with the token after all have restarted', {
  skip,
}, async () => {
  let token = '';
  const logs: unknown[] = [];
  {
    await using one = await start();
    await using two = await start('--accounts', 'required');
    assert.equal((await register(one)).status, 201);
    assert.equal((await register(two)).status, 409);
    const person = await Person.join(two.url('tea'), 'bob');
    person.ws.send(encodeLogin({ ...bob, password: 'wrong-horse-battery' }));
    await person.hears(1);
    assert.deepEqual(JSON.parse(person.heard[0]!), { type: 'login_ack', result: 'fail' });
    person.ws.send(encodeLogin(bob));
    await person.hears(2);
    ({ token } = JSON.parse(person.heard[1]!));
    const listener = await Person.join(one.url('tea'), 'listener');
    person.say('hello');
    await listener.hears(1);
    assert.deepEqual(listener.messages, [{ clientId: 'bob', Message: 'hello' }]);
    await two.reaches('chat_logins_total{result="ok"}', 1);
    await two.reaches('chat_logins_total{result="fail"}', 1);
    await two.reaches('chat_login_seconds_count', 2);
    await one.reaches('chat_accounts_total{result="created"}', 1);
    for (const { pid } of [one, two]) logs.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    logs.push(one.log, two.log);
  }
  await using again = await start();
  const back = await Person.join(`${again.url('tea')}?login=${token}&after=`, 'bob');
  await back.hears(2);
  const [joined, ack] = back.heard.map((text) => JSON.parse(text));
  assert.equal(joined.type, 'joined');
  assert.deepEqual(ack, { type: 'login_ack', result: 'ok', user: 'bob', waiting: 0 });
  assert.equal((await refusedAt(`${again.url('tea')}?login=${'A'.repeat(43)}`)).status, 401);
  logs.push(again.log, await (await again.get('/metrics')).text());
  const written = JSON.stringify(logs);
  for (const secret of [bob.password, 'wrong-horse-battery', token, 'argon2id'])
    assert.ok(!written.includes(secret), 'a secret is to be read');
});

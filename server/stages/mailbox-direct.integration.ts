/** Messages between people on two nodes of the real process, with a real Redis. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { encodeLogin, readDirectFrame } from '#protocol';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ServerProcess } from '../../testing/server.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const start = () =>
  ServerProcess.start('07-mailbox', ['--redis-url', redis!.url, '--redis-namespace', 'direct']);
const password = 'correct-horse-battery';

async function register(server: ServerProcess, user: string): Promise<void> {
  const response = await fetch(`${server.origin.replace(/^ws/, 'http')}/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, password }),
  });
  assert.equal(response.status, 201);
}

/** Joins and logs in. What it hears of mailboxes is in `frames`, behind the answer to the login. */
async function logIn(server: ServerProcess, user: string, positions: { upTo?: number } = {}) {
  const person = await Person.join(server.url('tea'), user);
  person.ws.send(encodeLogin({ user, password, device: 'phone', ...positions }));
  await person.hears(1);
  const { result, waiting } = JSON.parse(person.heard[0]!);
  assert.equal(result, 'ok');
  return {
    person,
    waiting,
    send: (frame: object) => person.ws.send(JSON.stringify(frame)),
    frames: () => person.heard.slice(1).map((text) => readDirectFrame(JSON.parse(text))!),
    hears: (count: number) => person.hears(1 + count),
  };
}

test('a message crosses nodes, waits for who is away, and its receipts come back', { skip }, async () => {
  await using one = await start();
  await using two = await start();
  for (const user of ['alice', 'bob']) await register(one, user);
  const alice = await logIn(one, 'alice');
  const bob = await logIn(two, 'bob');
  assert.deepEqual([alice.waiting, bob.waiting], [0, 0]);
  alice.send({ type: 'message', to: 'bob', id: 'a', Message: 'hello "bob" ✓' });
  await Promise.all([alice.hears(1), bob.hears(1)]);
  const ack = { type: 'server_ack', id: 'a', to: 'bob', result: 'ok', seq: 1 };
  assert.deepEqual(alice.frames(), [ack]);
  const [message] = bob.frames();
  assert.ok(message?.type === 'message' && Math.abs(message.sentAtMs - Date.now()) < 60_000);
  const { sentAtMs: _, ...rest } = message;
  assert.deepEqual(rest, { type: 'message', from: 'alice', id: 'a', seq: 1, Message: 'hello "bob" ✓' });
  bob.send({ type: 'received', upTo: 1 });
  await alice.hears(2);
  assert.deepEqual(alice.frames()[1], { type: 'received', by: 'bob', upTo: 1, version: 1 });
  bob.send({ type: 'read', peer: 'alice', upTo: 1 });
  await alice.hears(3);
  assert.deepEqual(alice.frames()[2], { type: 'read', by: 'bob', upTo: 1, version: 2 });
  alice.send({ type: 'watch', users: ['bob'] });
  await alice.hears(4);
  assert.deepEqual(alice.frames()[3], { type: 'presence', users: { bob: 'online' } });
  bob.person.ws.close();
  for (const id of ['b', 'c']) alice.send({ type: 'message', to: 'bob', id, Message: id });
  alice.send({ type: 'message', to: 'nobody', id: 'd', Message: '' });
  await alice.hears(7);
  const results = alice
    .frames()
    .slice(4)
    .map((frame) => frame.type === 'server_ack' && frame.result);
  assert.deepEqual(results.toSorted(), ['ok', 'ok', 'unknown']);
  const again = await logIn(one, 'bob', { upTo: 1 });
  assert.equal(again.waiting, 2);
  await again.hears(2);
  assert.deepEqual(
    again.frames().map((frame) => frame.type === 'message' && frame.seq),
    [2, 3],
  );
  await one.reaches('chat_mailbox_stored_total{result="ok"}', 3);
  await one.reaches('chat_mailbox_stored_total{result="unknown"}', 1);
  await one.reaches('chat_mailbox_delivered_total', 2);
  await one.reaches('chat_mailbox_waiting', 2);
});

test('what was acknowledged outlives the node', { skip }, async () => {
  await using one = await start();
  for (const user of ['carol', 'dave']) await register(one, user);
  {
    await using two = await start();
    const carol = await logIn(two, 'carol');
    for (let n = 0; n < 150; n++) carol.send({ type: 'message', to: 'dave', id: `${n}`, Message: `${n}` });
    await carol.hears(150);
    await two.stop('SIGKILL');
  }
  const dave = await logIn(one, 'dave');
  assert.equal(dave.waiting, 150);
  await dave.hears(100);
  dave.send({ type: 'received', upTo: 100 });
  await dave.hears(150);
  const texts = dave.frames().map((frame) => frame.type === 'message' && frame.Message);
  assert.deepEqual(
    texts,
    Array.from({ length: 150 }, (_, n) => `${n}`),
  );
});

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { browserSocket } from './browser-socket.ts';
import { closeAll, frames, logIn, next, prepare } from './person-client.fixture.ts';
import { PersonServer, passwordOf } from './person-server.fixture.ts';
import { nextEvent } from './room-server.fixture.ts';

afterEach(closeAll);

test('a login names the person; a wrong password and a busy server leave a guest', async () => {
  await using server = await PersonServer.start('alice');
  const { person } = prepare(server);
  person.chat.connect();
  await nextEvent(person.chat, 'connected');
  const wrong = { user: 'alice', password: 'not hers at all' };
  assert.deepEqual(await person.account.login(wrong), { result: 'fail' });
  assert.equal(person.chat.clientId, 'guest');
  assert.equal(person.chat.send('still a guest'), true);
  server.loginAnswer = 'busy';
  assert.deepEqual(await person.account.login(wrong), { result: 'busy', retryAfterMs: 2_000 });
  server.loginAnswer = undefined;
  const login = person.account.login({ user: 'alice', password: passwordOf('alice') });
  assert.equal(person.chat.send('under which name?'), false, 'held while the login is open');
  assert.equal((await login).result, 'ok');
  assert.equal(person.chat.clientId, 'alice');
  assert.equal(person.chat.send('as alice'), true);
  assert.deepEqual(await person.account.login(wrong), { result: 'already' });
  assert.deepEqual(server.framesOf('login').at(-1), {
    ...{ type: 'login', user: 'alice', password: passwordOf('alice'), device: 'test' },
  });
});

test('logout forgets the token and goes on as a guest; a login that the server forgot is told', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const { person, clock } = await logIn(server, 'alice');
  const out: unknown[] = [];
  person.account.events.on('signedOut', (event) => out.push(event));
  const again = nextEvent(person.chat, 'waiting').then(({ waitMs }) => clock.advance(waitMs));
  const back = nextEvent(person.chat, 'connected');
  person.account.logout();
  assert.equal(person.chat.send('not under this connection'), false);
  await again;
  await back;
  assert.deepEqual([person.chat.clientId, server.tokens.size], ['guest', 0]);
  assert.equal(person.chat.send('as a guest'), true);
  assert.equal(new URL(server.room.handshakes.at(-1)!.url!, 'ws://any').searchParams.has('login'), false);

  assert.equal((await person.account.login({ user: 'bob', password: passwordOf('bob') })).result, 'ok');
  server.tokens.clear();
  person.chat.events.on('waiting', ({ waitMs }) => setImmediate(() => clock.advance(waitMs)));
  const guest = nextEvent(person.chat, 'released');
  server.room.closeAll(1012, encodeReconnectReason(5));
  await guest;
  await nextEvent(person.chat, 'connected');
  assert.deepEqual(out, [
    { user: 'alice', why: 'left' },
    { user: 'bob', why: 'expired' },
  ]);
  assert.equal(person.chat.clientId, 'guest');
});

test('a browser, which is not told of HTTP 401, finds out that only the token is refused', async () => {
  await using server = await PersonServer.start('alice');
  const { person, clock } = prepare(server, { openSocket: browserSocket });
  const unauthorized = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n';
  server.room.refuse = (path) => (path.includes('login=') ? unauthorized : undefined);
  person.restore({ user: 'alice', token: 'A'.repeat(43), upTo: 3, receiptsAfter: 0, sent: [] });
  person.chat.events.on('waiting', ({ waitMs }) => setImmediate(() => clock.advance(waitMs)));
  const expired = new Promise((done) => person.account.events.on('signedOut', done));
  person.chat.connect();
  assert.deepEqual(await expired, { user: 'alice', why: 'expired' });
  await nextEvent(person.chat, 'connected');
  assert.equal(person.chat.clientId, 'guest');
  const withLogin = server.room.handshakes.map(({ url }) => url!.includes('login='));
  // Node's WebSocket asks a second time after a 401.
  const runs = withLogin.filter((has, index) => has !== withLogin[index - 1]);
  assert.deepEqual(runs, [true, false, true, false]);
});

test('a page that is loaded again goes on: nothing is stored twice, and marks still change', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const first = await logIn(server, 'alice');
  server.acksToLose = 1;
  const open = first.person.say('bob', 'open')!;
  await frames(server, first.clock, 'message', 1);
  const kept = JSON.parse(JSON.stringify({ ...first.person.kept, sent: [open] }));
  first.person.chat.close();
  const second = prepare(server);
  second.person.restore(kept);
  const stored = next(second.person, 'mark', ({ mark }) => mark === 'stored');
  second.person.chat.connect();
  assert.equal((await stored).id, open.id);
  assert.equal(server.mailboxes.get('bob')!.length, 1);
  server.tell('alice', { type: 'read', by: 'bob', upTo: 1, version: 1 });
  await next(second.person, 'mark', ({ mark }) => mark === 'read');
});

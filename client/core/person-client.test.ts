import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { wsSockets } from '../terminal/ws-socket.ts';
import { browserSocket } from './browser-socket.ts';
import type { ChatClientOptions } from './chat-client.ts';
import { PersonClient, type PersonEvents } from './person-client.ts';
import { PersonServer, passwordOf } from './person-server.fixture.ts';
import { ManualClock, nextEvent } from './room-server.fixture.ts';

const opened: PersonClient[] = [];
afterEach(() => {
  for (const person of opened.splice(0)) person.chat.close();
});

/** A client that is not connected yet; its clock stands still. */
function prepare(server: PersonServer, settings: Partial<ChatClientOptions> = {}) {
  const clock = new ManualClock();
  const { url } = server;
  const options = { url, clientId: 'guest', openSocket: wsSockets(), clock, random: () => 0.5, ...settings };
  const person = new PersonClient(options, 'test');
  opened.push(person);
  const heard: string[] = [];
  person.events.on('message', ({ from, seq, Message }) => heard.push(`${from} ${seq} ${Message}`));
  person.events.on('missing', ({ from, to }) => heard.push(`missing ${from} to ${to}`));
  const marks: string[] = [];
  person.events.on('mark', ({ text, mark }) => marks.push(`${text} ${mark}`));
  return { person, clock, heard, marks };
}

async function logIn(server: PersonServer, user: string) {
  const prepared = prepare(server);
  const { person, clock } = prepared;
  person.chat.connect();
  await nextEvent(person.chat, 'connected');
  assert.equal((await person.account.login({ user, password: passwordOf(user) })).result, 'ok');
  /** Ends the connection, lets `meanwhile` happen, and comes back. */
  const comeBack = async (meanwhile = () => {}) => {
    const waiting = nextEvent(person.chat, 'waiting');
    server.room.cutAll();
    const { waitMs } = await waiting;
    meanwhile();
    clock.advance(waitMs);
    await signedIn(person);
  };
  return { ...prepared, comeBack };
}

function signedIn(person: PersonClient): Promise<{ user: string; waiting: number; again: boolean }> {
  return new Promise((resolve) => {
    const stop = person.account.events.on('signedIn', (event) => {
      stop();
      resolve(event);
    });
  });
}

function next<Name extends keyof PersonEvents>(
  person: PersonClient,
  name: Name,
  holds: (value: PersonEvents[Name]) => boolean = () => true,
): Promise<PersonEvents[Name]> {
  return new Promise((resolve) => {
    const stop = person.events.on(name, (value) => {
      if (!holds(value)) return;
      stop();
      resolve(value);
    });
  });
}

/** Waits until the server has had so many frames of that type, while time passes for the client. */
async function frames(server: PersonServer, clock: ManualClock, type: string, count: number) {
  for (let turn = 0; server.framesOf(type).length < count; turn++) {
    assert.ok(turn < 2_000, `${type}: ${server.framesOf(type).length} of ${count}`);
    clock.advance(1);
    await new Promise((done) => setTimeout(done, 1));
  }
  return server.framesOf(type);
}

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

test('after a reconnect the token logs in, and says what this device has', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const { person, heard, clock, comeBack } = await logIn(server, 'alice');
  const first = next(person, 'message');
  server.store('bob', 'alice', 'one');
  await first;
  server.tell('alice', { type: 'received', by: 'bob', upTo: 1, version: 7 });
  await frames(server, clock, 'received', 1);
  await comeBack(() => server.store('bob', 'alice', 'two'));
  const query = new URL(server.room.handshakes.at(-1)!.url!, 'ws://any').searchParams;
  assert.equal(query.get('login'), person.account.token);
  assert.deepEqual([query.get('upTo'), query.get('receiptsAfter')], ['1', '7']);
  assert.equal(server.framesOf('login').length, 1, 'the password went once');
  assert.deepEqual(heard, ['bob 1 one', 'bob 2 two']);
});

test('a message is sent again with its id, until the server has answered, and is stored once', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const { person, clock, marks, comeBack } = await logIn(server, 'alice');
  server.acksToLose = 2;
  person.say('bob', 'one');
  person.say('bob', 'two');
  await frames(server, clock, 'message', 1);
  // The answer is lost, and the connection stays.
  clock.advance(10_000);
  await frames(server, clock, 'message', 2);
  // It is lost again, with the connection.
  const stored = next(person, 'mark', ({ text, mark }) => text === 'two' && mark === 'stored');
  await comeBack();
  await stored;
  const [first, ...others] = server.framesOf('message').map(({ id, Message }) => `${Message} ${id}`);
  assert.deepEqual(others.slice(0, 2), [first, first]);
  assert.deepEqual(
    server.mailboxes.get('bob')!.map(({ Message }) => Message),
    ['one', 'two'],
  );
  assert.deepEqual(marks, ['one sent', 'one stored', 'two sent', 'two stored']);
  assert.equal(person.unanswered, 0);
});

test('a busy server gets it again after a wait that doubles; a full mailbox and an unknown person are told', async () => {
  await using server = await PersonServer.start('alice', 'bob', 'eve');
  const { person, clock, marks } = await logIn(server, 'alice');
  server.full.add('eve');
  const done = [
    next(person, 'mark', ({ mark }) => mark === 'stored'),
    next(person, 'mark', ({ mark }) => mark === 'full'),
    next(person, 'mark', ({ mark }) => mark === 'unknown'),
  ];
  person.say('eve', 'to eve');
  person.say('nobody', 'to nobody');
  await frames(server, clock, 'message', 2);
  await Promise.all(done.slice(1));
  server.busyAnswers = 2;
  person.say('bob', 'to bob');
  await frames(server, clock, 'message', 3);
  for (const waitMs of [500, 1_000]) {
    await new Promise((settled) => setTimeout(settled, 20));
    clock.advance(waitMs);
    await frames(server, clock, 'message', waitMs === 500 ? 4 : 5);
  }
  await Promise.all(done);
  assert.deepEqual(marks.filter((mark) => !mark.endsWith(' sent')).sort(), [
    'to bob stored',
    'to eve full',
    'to nobody unknown',
  ]);
});

test('marks follow the receipts, also one that overtakes the answer, and never go back', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const { person, clock } = await logIn(server, 'alice');
  const early = person.say('bob', 'early')!;
  assert.equal(early.mark, 'waiting');
  server.tell('alice', { type: 'received', by: 'bob', upTo: 1, version: 1 });
  const received = next(person, 'mark', ({ mark }) => mark === 'received');
  await frames(server, clock, 'message', 1);
  await received;
  server.tell('alice', { type: 'read', by: 'bob', upTo: 1, version: 2 });
  await next(person, 'mark', ({ mark }) => mark === 'read');
  server.tell('alice', { type: 'received', by: 'bob', upTo: 0, version: 3 });
  const late = person.say('bob', 'late')!;
  clock.advance(1);
  await next(person, 'mark', ({ mark }) => mark === 'stored');
  assert.deepEqual([early.mark, late.mark], ['read', 'stored']);
});

test('what comes twice is shown once, what never came is told, and acknowledgements go together', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const { person, clock, heard } = await logIn(server, 'alice');
  server.doubles = true;
  const hundredth = next(person, 'message', ({ seq }) => seq === 100);
  for (let number = 1; number <= 100; number++) server.store('bob', 'alice', `m${number}`);
  await hundredth;
  clock.advance(50);
  await frames(server, clock, 'received', 1);
  clock.advance(50);
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(heard.length, 100);
  assert.equal(server.framesOf('received').at(-1)!.upTo, 100);
  assert.ok(server.framesOf('received').length <= 3, `${server.framesOf('received').length} frames`);
  heard.length = 0;
  server.tell('alice', { type: 'gap', from: 50, to: 110 });
  server.tell('alice', { type: 'gap', from: 90, to: 105 });
  server.tell('alice', { type: 'message', from: 'bob', id: 'x', seq: 113, Message: 'after', sentAtMs: 1 });
  await next(person, 'message');
  assert.deepEqual(heard, ['missing 101 to 110', 'missing 111 to 112', 'bob 113 after']);
});

test('what the person has read is said once, and again where the connection may have lost it', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const { person, clock, comeBack } = await logIn(server, 'alice');
  person.markRead({ from: 'bob', seq: 4 });
  person.markRead({ from: 'bob', seq: 3 });
  await frames(server, clock, 'read', 1);
  clock.advance(100);
  await comeBack();
  await frames(server, clock, 'read', 2);
  const said = server.framesOf('read').map(({ peer, upTo }) => `${peer} ${upTo}`);
  assert.deepEqual(said, ['bob 4', 'bob 4']);
});

test('watched people and who writes; both are forgotten with the connection, the list is not', async () => {
  await using server = await PersonServer.start('alice', 'bob', 'eve');
  const { person, clock, comeBack } = await logIn(server, 'alice');
  const { presence } = person;
  assert.equal(presence.watch('bob'), true);
  await next(person, 'presence');
  assert.equal(presence.stateOf('bob'), 'away');
  server.tell('alice', { type: 'presence', users: { bob: 'online', eve: 'online' } });
  server.tell('alice', { type: 'presence', from: 'bob', state: 'typing' });
  await next(person, 'presence', () => presence.typing.length > 0);
  assert.deepEqual([presence.stateOf('bob'), presence.stateOf('eve')], ['online', undefined]);
  clock.advance(6_000);
  assert.deepEqual(presence.typing, []);
  for (let key = 0; key < 5; key++) presence.write('bob');
  await frames(server, clock, 'presence', 1);
  clock.advance(3_000);
  presence.write('bob');
  await frames(server, clock, 'presence', 2);
  await comeBack();
  await frames(server, clock, 'watch', 2);
  for (let number = 1; number < 100; number++) assert.equal(presence.watch(`p${number}`), true);
  assert.equal(presence.watch('one-too-many'), false);
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

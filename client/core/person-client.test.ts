import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { closeAll, frames, logIn, next } from './person-client.fixture.ts';
import { PersonServer } from './person-server.fixture.ts';

afterEach(closeAll);

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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import type { ChatClient } from '../core/chat-client.ts';
import { PersonClient } from '../core/person-client.ts';
import { nextEvent, RoomServer } from '../core/room-server.fixture.ts';
import { drawn, hearAfter, openTerminal, settings } from './terminal.fixture.ts';
import { runTerminal } from './terminal.ts';
import { Tty } from './tty.fixture.ts';
import { wsSockets } from './ws-socket.ts';

test('the input line stays whole and the cursor in its place while messages arrive above it', async () => {
  await using server = await RoomServer.start();
  const { tty, client, end, shown } = await openTerminal(server, 40);
  tty.type('a line that is longer than this terminal is wide, typed in part');
  tty.type('\u001b[D'.repeat(4));
  for (const text of ['one', 'two']) await hearAfter(client, () => server.say('bob', text));
  assert.deepEqual(shown(), [
    'bob: one',
    'bob: two',
    '> a line that is longer than this termin',
    'al is wide, typed in part',
  ]);
  tty.type('XX');
  assert.match(shown().at(-1) ?? '', /typed in XXpart$/);
  tty.type('\u0005\u0015\u0004');
  assert.equal(await end, 'left');
});

test('a typed line is replaced by its echo, and the up arrow recalls it', async () => {
  await using server = await RoomServer.start();
  const { tty, client, end, shown } = await openTerminal(server, 40);
  for (const line of ['hello', 'a line that is longer than this terminal is wide']) {
    await hearAfter(client, () => tty.type(`${line}\r`));
  }
  assert.deepEqual(shown().slice(0, 1), ['alice (you): hello']);
  assert.deepEqual(shown().slice(1), [
    'alice (you): a line that is',
    '         longer than this terminal is',
    '         wide',
    '>',
  ]);
  tty.type('\u001b[A\u001b[A');
  assert.equal(shown().at(-1), '> hello');
  tty.type('\u0003');
  assert.equal(await end, 'interrupted');
});

test('lines typed without a connection are held and sent later; those that may be lost are listed', async () => {
  await using server = await RoomServer.start();
  const { tty, client, clock, end, shown } = await openTerminal(server, 200);
  const received = Promise.withResolvers<void>();
  server.relay = () => received.resolve();
  tty.type('swallowed\r');
  await received.promise;
  server.relay = (clientId, message) => server.say(clientId, message);
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, 'reconnect after 1500 ms');
  await waiting;
  tty.type('held\r');
  await hearAfter(client, () => clock.advance(1_500));
  assert.deepEqual(shown(), [
    '* the server is restarting: reconnect after the wait it names [1012] ("reconnect after 1500 ms")',
    '* held until connected: held',
    '* back in room tea as alice',
    '* perhaps not delivered: "swallowed"',
    '* you may have missed messages',
    'alice (you): held',
    '>',
  ]);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('while there is no connection one line is redrawn, and Enter tries at once', async () => {
  await using server = await RoomServer.start();
  const { tty, client, clock, end, shown } = await openTerminal(server, 120);
  server.refusal = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n';
  const offline = (attempt: number) =>
    new RegExp(`^offline, attempt ${attempt} in [\\d.]+ s \\(Enter: now\\); the server`);
  let waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, 'reconnect after 60000 ms');
  await waiting;
  tty.type('half a line');
  await drawn();
  assert.match(shown()[1]!, offline(1));
  clock.advance(1_000);
  assert.match(shown()[1]!, /^offline, attempt 1 in 59 s/);
  tty.type('\u0015');
  for (const attempt of [2, 3]) {
    waiting = nextEvent(client, 'waiting');
    tty.type('\r');
    await waiting;
    await drawn();
    assert.equal(shown().length, 3, shown().join('\n'));
    assert.match(shown()[1]!, offline(attempt));
    assert.ok(tty.screen.every((row) => row.length < 120));
  }
  server.refusal = undefined;
  const back = nextEvent(client, 'connected');
  tty.type('\r');
  await back;
  await drawn();
  assert.deepEqual(shown().slice(1), ['* back in room tea as alice', '* you may have missed messages', '>']);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('a paste of several lines is asked about once; one line stays in the input', async () => {
  await using server = await RoomServer.start();
  const { tty, client, end, shown } = await openTerminal(server, 80);
  const paste = (text: string) => tty.type(`\u001b[200~${text}\u001b[201~`);
  paste('one\rtwo\rthree');
  await drawn();
  assert.deepEqual(shown(), ['send these 3 lines? [Y/n]']);
  const heard = nextMessages(client, 3);
  tty.type('\r');
  await heard;
  await drawn();
  assert.deepEqual(shown(), ['alice (you): one', 'alice (you): two', 'alice (you): three', '>']);
  paste('four\rfive\r');
  tty.type('n\r');
  await drawn();
  assert.equal(shown().at(-2), '* not sent: 2 lines');
  paste('six\rseven');
  tty.type('\u0003');
  await drawn();
  assert.equal(shown().at(-2), '* not sent: 2 lines');
  paste('one line');
  await drawn();
  assert.equal(shown().at(-1), '> one line');
  tty.type('\u0015\u0004');
  assert.equal(await end, 'left');
});

test('another name from now on; who spoke; a table of the commands', async () => {
  await using server = await RoomServer.start();
  const { tty, client, end, shown } = await openTerminal(server, 80);
  await hearAfter(client, () => server.say('bob', 'hi'));
  await hearAfter(client, () => tty.type('/nick carol\rhello\r'));
  tty.type('/who\r/nick\r/rooms\r');
  await drawn();
  assert.deepEqual(shown(), [
    'bob: hi',
    '* you are carol now',
    'carol (you): hello',
    '* spoke since you came: carol, bob. The server does not list who is',
    '         there',
    '* /nick needs a name of 1 to 64 characters; given 0',
    '* you are in room tea. The server does not list its rooms; --room',
    '         chooses one',
    '>',
  ]);
  tty.type('/help\r');
  await drawn();
  assert.match(shown().join('\n'), /^\* \/help +this table\n\* \/nick <name> +speak under another name/m);
  assert.ok(tty.screen.every((row) => row.length <= 80));
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('commands, blank lines and lines that are too long are not sent', async () => {
  await using server = await RoomServer.start();
  const { tty, client, end, shown } = await openTerminal(server, 300);
  tty.type('   \r/dance\r');
  tty.type(`${'é'.repeat(101)}\r`);
  await hearAfter(client, () => tty.type('//slash\r'));
  assert.deepEqual(shown(), [
    '* /dance is not a command; /help lists them',
    '* not sent: it has 202 bytes, the limit is 200. The up arrow recalls it',
    'alice (you): /slash',
    '>',
  ]);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('when the server closes it finally, the terminal prints the reason and ends', async () => {
  await using server = await RoomServer.start();
  const { end, shown } = await openTerminal(server, 200);
  server.closeAll(1008, 'rate');
  assert.equal(await end, 'closed');
  const goodbye = /rule of the server was broken.*\[1008\] \("rate"\)\. Trying again would not help\.$/;
  assert.match(shown().join('\n'), goodbye);
});

test('a message is yours by its echo, not by the name', async () => {
  await using server = await RoomServer.start();
  const { tty, client, shown } = await openTerminal(server, 60);
  const relay = server.relay;
  server.relay = (clientId, message) => {
    server.say('alice', 'I am alice too');
    relay(clientId, message);
  };
  const heard = nextMessages(client, 2);
  tty.type('hello\r');
  await heard;
  await drawn();
  assert.deepEqual(shown().slice(0, 2), ['alice: I am alice too', 'alice (you): hello']);
  client.close();
});

test('who comes back is told in the transcript that nothing was missed, after the messages that came late', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const { tty, client, clock, end, shown } = await openTerminal(server, 200);
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, encodeReconnectReason(1_500));
  await waiting;
  for (const text of ['one', 'two']) server.say('bob', text);
  const late = nextMessages(client, 2);
  clock.advance(1_500);
  await late;
  clock.advance(150);
  await drawn();
  assert.deepEqual(shown().slice(1), [
    '* back in room tea as alice',
    'bob: one',
    'bob: two',
    '* you missed nothing: 2 messages came late',
    '>',
  ]);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('a refused admission is named, and the room is not claimed before it', async () => {
  await using server = await RoomServer.start();
  server.welcome = (socket) => socket.close(1008, 'wrong or missing token');
  const tty = new Tty(200);
  const options = { url: server.url, clientId: 'alice', openSocket: wsSockets() };
  const end = await runTerminal(new PersonClient(options, 'test'), {
    ...settings,
    input: tty.input,
    output: tty.output,
  });
  await drawn();
  assert.equal(end, 'closed');
  const rows = tty.screen.join('\n');
  assert.doesNotMatch(rows, /you are in/);
  assert.match(
    rows,
    /did not admit this client: wrong or missing token \[1008\]\. Trying again would not help\./,
  );
});

test('the last of the attempts says how many there were', async () => {
  const tty = new Tty(200);
  const url = 'ws://127.0.0.1:1/ws';
  const options = { url, clientId: 'alice', openSocket: wsSockets(), attemptsMax: 2 };
  await runTerminal(new PersonClient(options, 'test'), { ...settings, input: tty.input, output: tty.output });
  await drawn();
  const rows = tty.screen.join('\n');
  assert.match(rows, /ECONNREFUSED\)\. Gave up after 2 attempts\./);
  assert.doesNotMatch(rows, /would not help/);
});

/** Resolves when so many messages have come. */
function nextMessages(client: ChatClient, count: number): Promise<void> {
  let heard = 0;
  return new Promise((done) => client.events.on('message', () => ++heard === count && done()));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChatClient } from '../core/chat-client.ts';
import { HandClock, nextEvent, RoomServer } from '../core/room-server.fixture.ts';
import { type Farewell, runTerminal } from './terminal.ts';
import { Tty } from './tty.fixture.ts';

/** Alice in the room on a terminal of that many columns. */
async function sitDown(server: RoomServer, columns: number) {
  const tty = new Tty(columns);
  const clock = new HandClock();
  const client = new ChatClient({ url: server.url, clientId: 'alice', clock, random: () => 0.5 });
  const farewell: Promise<Farewell> = runTerminal(client, {
    input: tty.input,
    output: tty.output,
    colours: false,
    roomWords: 'room tea',
    messageBytesMax: 200,
    outbox: { linesPerSecondMax: 100, clock },
    echoWaitMs: 1_000,
  });
  await nextEvent(client, 'connected');
  await drawn();
  /** The screen below the greeting, clock times taken out. */
  const said = (): string[] => {
    const rows = tty.screen.map((row) => row.replace(/^\d\d:\d\d:\d\d /, ''));
    return rows.slice(rows.findIndex((row) => row.startsWith('* you are in')) + 1);
  };
  return { tty, client, clock, farewell, said };
}

/** Everything that has happened by now is on the screen: printing waits one turn of the event loop. */
async function drawn(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
}

async function hear(
  client: ChatClient,
  server: RoomServer,
  clientId: string,
  message: string,
): Promise<void> {
  const heard = nextEvent(client, 'message');
  server.say(clientId, message);
  await heard;
  await drawn();
}

test('the input line stays whole, the cursor in its place, while messages arrive above it', async () => {
  await using server = await RoomServer.start();
  const { tty, client, farewell, said } = await sitDown(server, 40);
  tty.type('a line that is longer than this terminal is wide, typed in part');
  tty.type('\u001b[D'.repeat(4));
  await hear(client, server, 'bob', 'one');
  await hear(client, server, 'bob', 'two');
  assert.deepEqual(said(), [
    'bob: one',
    'bob: two',
    '> a line that is longer than this termin',
    'al is wide, typed in part',
  ]);
  tty.type('XX');
  assert.match(said().at(-1) ?? '', /typed in XXpart$/);
  tty.type('\u0005\u0015\u0004');
  assert.equal(await farewell, 'left');
});

test('a line typed is taken off the screen and comes back as our message; the up arrow recalls it', async () => {
  await using server = await RoomServer.start();
  const { tty, client, farewell, said } = await sitDown(server, 40);
  for (const line of ['hello', 'a line that is longer than this terminal is wide']) {
    const heard = nextEvent(client, 'message');
    tty.type(`${line}\r`);
    await heard;
    await drawn();
  }
  assert.deepEqual(said().slice(0, 1), ['alice (you): hello']);
  assert.deepEqual(
    said().slice(1).join(''),
    'alice (you): a line that is longer than this terminal is wide>',
  );
  tty.type('\u001b[A\u001b[A');
  assert.equal(said().at(-1), '> hello');
  tty.type('\u0003');
  assert.equal(await farewell, 'interrupted');
});

test('lines typed while away are held and sent on return; those that may be lost are named', async () => {
  await using server = await RoomServer.start();
  const { tty, client, clock, farewell, said } = await sitDown(server, 200);
  let arrived = (): void => {};
  const swallowed = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  server.relay = () => arrived();
  tty.type('swallowed\r');
  await swallowed;
  server.relay = (clientId, message) => server.say(clientId, message);
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, 'reconnect after 1500 ms');
  await waiting;
  tty.type('held\r');
  clock.advance(1_500);
  await nextEvent(client, 'message');
  await drawn();
  assert.deepEqual(said(), [
    '* perhaps never heard: "swallowed"',
    '* the server is restarting: reconnect after the wait it names [1012] ("reconnect after 1500 ms")',
    '* attempt 1 in 1.5 s',
    '* held until connected: held',
    '* back in room tea as alice',
    'alice (you): held',
    '>',
  ]);
  tty.type('/quit\r');
  assert.equal(await farewell, 'left');
});

test('commands, blank lines and lines that are too long are not sent', async () => {
  await using server = await RoomServer.start();
  const { tty, client, farewell, said } = await sitDown(server, 300);
  tty.type('   \r/dance\r');
  tty.type(`${'é'.repeat(101)}\r`);
  const heard = nextEvent(client, 'message');
  tty.type('//slash\r');
  await heard;
  await drawn();
  assert.deepEqual(said(), [
    '* /dance is not a command; /help names them',
    '* not sent: it has 202 bytes, at most 200 may go. The up arrow brings it back',
    'alice (you): /slash',
    '>',
  ]);
  tty.type('/quit\r');
  assert.equal(await farewell, 'left');
});

test('when the server ends it for good, the terminal says why and gives the prompt back', async () => {
  await using server = await RoomServer.start();
  const { farewell, said } = await sitDown(server, 200);
  server.closeAll(1008, 'rate');
  assert.equal(await farewell, 'closed');
  assert.match(
    said().join('\n'),
    /rule of the server was broken.*\[1008\] \("rate"\)\. Trying again would not help\.$/,
  );
});

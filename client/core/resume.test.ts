import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { wsSockets } from '../terminal/ws-socket.ts';
import { ChatClient, type ChatEvents } from './chat-client.ts';
import { Resume } from './resume.ts';
import { ManualClock, nextEvent, RoomServer } from './room-server.fixture.ts';

const url = 'ws://chat/ws/tea';

/** The values of `?after=` in the handshakes so far. */
const asked = (server: RoomServer) =>
  server.handshakes.map((request) => new URL(request.url ?? '', 'ws://any').searchParams.get('after'));

/** A client of this server, and the messages and outcomes that it hears, in order. */
async function join(server: RoomServer) {
  const clock = new ManualClock();
  const client = new ChatClient({
    ...{ url: server.url, clientId: 'alice', openSocket: wsSockets(), clock, random: () => 0.5 },
  });
  const heard: (string | ChatEvents['resumed'])[] = [];
  client.events.on('message', ({ Message }) => heard.push(Message));
  client.events.on('resumed', (event) => heard.push(event));
  client.connect();
  await nextEvent(client, 'connected');
  /** Ends the connection, lets `meanwhile` happen, and comes back. */
  const comeBack = async (meanwhile: () => void) => {
    const waiting = nextEvent(client, 'waiting');
    server.cutAll();
    const { waitMs } = await waiting;
    meanwhile();
    clock.advance(waitMs);
    await nextEvent(client, 'connected');
  };
  const said = async (text: string) => {
    const received = nextEvent(client, 'message');
    server.say('bob', text);
    await received;
  };
  return { client, clock, heard, comeBack, said };
}

test('each message adds one to the position, typed frames add nothing, and an epoch takes its offset along', () => {
  const resume = new Resume();
  assert.equal(resume.addressOf(url), `${url}?after=`);
  resume.opened();
  assert.equal(
    resume.takeJoined('{"type":"joined","room":"tea","epoch":"e1","offset":7,"recovered":false}'),
    'lost',
  );
  resume.takeMessage();
  resume.takeMessage();
  assert.equal(resume.takeJoined('{"type":"joined","room":"tea","epoch":"e9","offset":1}'), undefined);
  assert.equal(resume.addressOf(url), `${url}?after=e1.9`);
  assert.equal(resume.addressOf(`${url}?after=old&x=1`), `${url}?after=e1.9&x=1`);
  resume.opened();
  assert.equal(
    resume.takeJoined('{"type":"joined","room":"tea","epoch":"e2","offset":0,"recovered":false}'),
    'lost',
  );
  assert.equal(resume.addressOf(url), `${url}?after=e2.0`);
});

test('a message before the frame joined shows that the server keeps no log', () => {
  const resume = new Resume();
  resume.opened();
  assert.equal(resume.takeMessage(), 'unable');
  assert.equal(resume.takeMessage(), undefined);
  assert.equal(resume.addressOf(url), `${url}?after=`);
});

test('it comes back with its position, hears everything once and in order, and says how much came late', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  server.say('bob', 'before anybody');
  const { client, clock, heard, comeBack, said } = await join(server);
  await said('one');
  server.sayRaw('{"type":"typing"}');
  server.log.pop();
  await said('two');
  const late = nextEvent(client, 'message');
  await comeBack(() => server.say('bob', 'late'));
  await late;
  clock.advance(150);
  await said('new');
  await comeBack(() => {});
  clock.advance(150);
  const outcomes = [
    { complete: true, lateCount: 1 },
    { complete: true, lateCount: 0 },
  ];
  assert.deepEqual(heard, ['one', 'two', 'late', outcomes[0], 'new', outcomes[1]]);
  assert.deepEqual(asked(server), ['', 'e1.3', 'e1.5']);
  client.close();
});

test('in a room that is never quiet, it says after five seconds that nothing was missed', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const { client, clock, heard, comeBack, said } = await join(server);
  await comeBack(() => {});
  for (let message = 0; message < 50; message++) {
    await said('x');
    clock.advance(100);
  }
  assert.deepEqual(
    heard.filter((event) => typeof event === 'object'),
    [{ complete: true, lateCount: 50 }],
  );
  client.close();
});

test('a log that began anew is told before the first message after it', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const { client, heard, comeBack, said } = await join(server);
  await said('one');
  const resumed = nextEvent(client, 'resumed');
  await comeBack(() => {
    server.epoch = 'e2';
    server.log.length = 0;
    server.say('bob', 'missed');
  });
  await resumed;
  await said('new');
  assert.deepEqual(heard, ['one', { complete: false, lateCount: 0 }, 'new']);
  await comeBack(() => {});
  assert.deepEqual(asked(server), ['', 'e1.1', 'e2.2']);
  client.close();
});

test('a server that keeps no log: it tells at once, each time, and asks again from now on', async () => {
  await using server = await RoomServer.start();
  const { client, heard, comeBack, said } = await join(server);
  await said('one');
  await comeBack(() => {});
  await said('two');
  assert.deepEqual(heard, ['one', { complete: false, lateCount: 0 }, 'two']);
  assert.deepEqual(asked(server), ['', '']);
  client.close();
});

test('a server that kept a log and is silent about it: messages may be missing, until it says otherwise', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const { client, clock, heard, comeBack } = await join(server);
  // The first frame may come after the pong that admits the client.
  server.sayRaw('{"type":"other"}');
  await comeBack(() => {
    server.epoch = undefined;
  });
  clock.advance(1_999);
  assert.deepEqual(heard, []);
  clock.advance(1);
  assert.deepEqual(heard, [{ complete: false, lateCount: 0 }]);
  client.close();
});

test('a seat that has moved: it waits exactly as long as it is told', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const { client, clock } = await join(server);
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(4012, encodeReconnectReason(1_234));
  assert.deepEqual(await waiting, { waitMs: 1_234, attempt: 1 });
  clock.advance(1_234);
  await nextEvent(client, 'connected');
  assert.deepEqual(asked(server), ['', 'e1.0']);
  client.close();
});

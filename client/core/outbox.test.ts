import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { wsSockets } from '../terminal/ws-socket.ts';
import { ChatClient } from './chat-client.ts';
import type { OpenSocket, SocketListener } from './chat-socket.ts';
import { Outbox } from './outbox.ts';
import { ManualClock, nextEvent, RoomServer } from './room-server.fixture.ts';

/** A client that has not connected yet, its outbox of ten lines a second, and the lines never confirmed. */
function prepare(server: RoomServer) {
  const clock = new ManualClock();
  const client = new ChatClient({ url: server.url, clientId: 'alice', openSocket: wsSockets(), clock });
  const unconfirmed: string[] = [];
  const outbox = new Outbox(client, 10, (lines) => unconfirmed.push(...lines));
  return { client, clock, outbox, unconfirmed };
}

test('lines put before the connection is open are sent when it is, in order, and confirmed by their echoes', async () => {
  await using server = await RoomServer.start();
  const { client, outbox } = prepare(server);
  const puts = ['one', 'two', 'one'].map((line) => outbox.put(line));
  const received: string[] = [];
  client.events.on('message', ({ Message }) => received.push(Message));
  client.connect();
  assert.deepEqual(await Promise.all(puts), [true, true, true]);
  assert.equal(await outbox.settle(60_000), 0);
  assert.deepEqual(received, ['one', 'two', 'one']);
  client.close();
});

test('a burst is sent at once, the rest at the given rate', async () => {
  await using server = await RoomServer.start();
  const { client, clock, outbox } = prepare(server);
  client.connect();
  await nextEvent(client, 'connected');
  for (let line = 0; line < 25; line++) void outbox.put(`${line}`);
  assert.equal(outbox.waitingCount, 15);
  clock.advance(500);
  assert.equal(outbox.waitingCount, 10);
  clock.advance(1_001);
  assert.equal(outbox.waitingCount, 0);
  client.close();
});

test('lines whose echo was lost with the connection are counted, and not sent again', async () => {
  await using server = await RoomServer.start();
  const { client, clock, outbox, unconfirmed } = prepare(server);
  const relayed: string[] = [];
  const bothArrived = Promise.withResolvers<void>();
  server.relay = (_clientId, message) => {
    if (relayed.push(message) === 2) bothArrived.resolve();
  };
  client.connect();
  await Promise.all([outbox.put('a'), outbox.put('b')]);
  await bothArrived.promise;
  const waiting = nextEvent(client, 'waiting');
  server.cutAll();
  const { waitMs } = await waiting;
  clock.advance(waitMs);
  await nextEvent(client, 'connected');
  server.relay = (clientId, message) => server.say(clientId, message);
  await outbox.put('c');
  assert.equal(await outbox.settle(60_000), 2);
  assert.deepEqual(unconfirmed, ['a', 'b']);
  assert.deepEqual(relayed, ['a', 'b']);
  client.close();
});

test('the echo of a line may come with what was missed; only a line that is not there is not confirmed', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const { client, clock, outbox, unconfirmed } = prepare(server);
  const relayed: string[] = [];
  const allArrived = Promise.withResolvers<void>();
  server.relay = (_clientId, message) => {
    if (relayed.push(message) === 3) allArrived.resolve();
  };
  client.connect();
  await Promise.all(['a', 'b', 'c'].map((line) => outbox.put(line)));
  await allArrived.promise;
  const waiting = nextEvent(client, 'waiting');
  server.cutAll();
  const { waitMs } = await waiting;
  assert.deepEqual(unconfirmed, [], 'they may still come');
  // The room has the first two, and that of another person between them; the last one was lost.
  for (const text of ['a', 'hello', 'b']) server.say(text === 'hello' ? 'bob' : 'alice', text);
  const echoes: string[] = [];
  client.events.on('message', (message) => outbox.isEcho(message) && echoes.push(message.Message));
  const lastLate = new Promise<void>((resolve) => {
    client.events.on('message', ({ Message }) => Message === 'b' && resolve());
  });
  clock.advance(waitMs);
  await lastLate;
  assert.deepEqual(echoes, ['a', 'b']);
  assert.deepEqual(unconfirmed, []);
  clock.advance(150);
  assert.deepEqual(unconfirmed, ['c']);
  server.relay = (clientId, message) => server.say(clientId, message);
  await outbox.put('d');
  assert.equal(await outbox.settle(60_000), 1);
  client.close();
});

test('an echo shows that earlier lines were lost; a message of another client with our name confirms nothing', async () => {
  await using server = await RoomServer.start();
  const { client, clock, outbox, unconfirmed } = prepare(server);
  server.relay = (clientId, message) => {
    if (message === 'b') {
      server.say(clientId, 'not ours');
      server.say(clientId, 'b');
    }
  };
  client.connect();
  for (const line of ['a', 'b', 'c']) await outbox.put(line);
  while (unconfirmed.length === 0) await nextEvent(client, 'message');
  assert.deepEqual(unconfirmed, ['a']);
  const settled = outbox.settle(1_000);
  clock.advance(1_000);
  assert.equal(await settled, 2, 'the echo of b came before that of a, that of c never came');
  client.close();
});

test('when the client ends, every put is resolved and no line waits', async () => {
  await using server = await RoomServer.start();
  server.refusal = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n';
  const { client, outbox, unconfirmed } = prepare(server);
  const put = outbox.put('a');
  client.connect();
  assert.equal(await put, false);
  assert.equal(await outbox.put('b'), false);
  assert.deepEqual(unconfirmed, ['a']);
  assert.equal(await outbox.settle(60_000), 1);
});

test('a line that a closing connection does not accept is sent over the next one', async () => {
  const clock = new ManualClock();
  const connections: { open: boolean; lines: string[]; listener: SocketListener }[] = [];
  const openSocket: OpenSocket = (_url, listener) => {
    const connection = { open: true, lines: [] as string[], listener };
    connections.push(connection);
    const send = (text: string) => connection.open && connection.lines.push(text) > 0;
    return { send, close: () => {} };
  };
  const client = new ChatClient({ url: 'ws://x', clientId: 'alice', openSocket, clock });
  const outbox = new Outbox(client, 10);
  client.connect();
  connections[0]!.listener.opened();
  connections[0]!.open = false;
  const put = outbox.put('late');
  connections[0]!.listener.ended({ kind: 'closed', code: 1012, reason: encodeReconnectReason(0) });
  clock.advance(0);
  connections[1]!.listener.opened();
  assert.equal(await put, true);
  const counts = connections.map(({ lines }) => lines.length);
  assert.deepEqual(counts, [0, 1]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { wsSockets } from '../terminal/ws-socket.ts';
import { browserSocket } from './browser-socket.ts';
import { ChatClient, type ChatClientOptions, type ChatEvents } from './chat-client.ts';
import { ManualClock, nextEvent, RoomServer } from './room-server.fixture.ts';

type Settings = Partial<ChatClientOptions>;

/** A client that has not connected yet, with a manual clock and jitter in the middle of its interval. */
function prepare(url: string, settings: Settings = {}) {
  const clock = new ManualClock();
  const defaults = { clientId: 'alice', openSocket: wsSockets(), clock, random: () => 0.5 };
  return { clock, client: new ChatClient({ url, ...defaults, ...settings }) };
}

/** A connected client, its clock, and all its events. */
async function join(server: RoomServer, settings: Settings = {}) {
  const { client, clock } = prepare(server.url, settings);
  const events: [keyof ChatEvents, unknown][] = [];
  for (const name of ['connected', 'message', 'closed', 'waiting'] as const) {
    client.events.on(name, (value) => events.push([name, value]));
  }
  client.connect();
  await nextEvent(client, 'connected');
  return { client, clock, events };
}

async function leave(client: ChatClient): Promise<void> {
  const gone = nextEvent(client, 'closed');
  client.close();
  await gone;
}

test('a sent message comes back, and the handshake carries the token and the origin', async () => {
  await using server = await RoomServer.start();
  const { client } = await join(server, {
    openSocket: wsSockets({ token: 'secret', origin: 'https://chat.example' }),
  });
  assert.equal(server.handshakes[0]?.headers.authorization, 'Bearer secret');
  assert.equal(server.handshakes[0]?.headers.origin, 'https://chat.example');
  const received = nextEvent(client, 'message');
  assert.equal(client.send('héllo'), true);
  assert.deepEqual(await received, { clientId: 'alice', Message: 'héllo' });
  await leave(client);
  assert.equal(client.send('too late'), false);
});

test('frames that are not chat messages are ignored, and fields other than the two are dropped', async () => {
  await using server = await RoomServer.start();
  const { client, events } = await join(server);
  for (const text of ['{"type":"presence"}', 'nonsense', '[]']) server.sayRaw(text);
  server.sayRaw('{"clientId":"b","Message":"hi","admin":true}');
  assert.deepEqual(await nextEvent(client, 'message'), { clientId: 'b', Message: 'hi' });
  assert.equal(events.filter(([name]) => name === 'message').length, 1);
  await leave(client);
});

test('after a restart it reconnects exactly when the server asked it to', async () => {
  await using server = await RoomServer.start();
  const { client, clock } = await join(server);
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, encodeReconnectReason(2_500));
  assert.deepEqual(await waiting, { waitMs: 2_500, attempt: 1 });
  clock.advance(2_499);
  assert.equal(server.handshakes.length, 1);
  clock.advance(1);
  assert.deepEqual(await nextEvent(client, 'connected'), { again: true });
  await leave(client);
});

test('each attempt in a row waits longer, and a short connection does not reset the backoff', async () => {
  await using server = await RoomServer.start();
  const { client, clock } = await join(server);
  const waits: number[] = [];
  client.events.on('waiting', ({ waitMs }) => waits.push(waitMs));
  for (let round = 0; round < 3; round++) {
    const waiting = nextEvent(client, 'waiting');
    server.cutAll();
    const { waitMs } = await waiting;
    clock.advance(waitMs);
    await nextEvent(client, 'connected');
  }
  assert.deepEqual(waits, [250, 500, 1_000]);
  clock.advance(6_000);
  const waiting = nextEvent(client, 'waiting');
  server.cutAll();
  assert.equal((await waiting).waitMs, 250, 'six healthy seconds reset the backoff');
  await leave(client);
});

for (const code of [1003, 1007, 1008, 1009]) {
  test(`a close with ${code} is final`, async () => {
    await using server = await RoomServer.start();
    const { client, events } = await join(server);
    const closed = nextEvent(client, 'closed');
    server.closeAll(code, 'why');
    assert.deepEqual(await closed, { end: { kind: 'closed', code, reason: 'why' }, final: true });
    assert.equal(client.ended, true);
    assert.equal(events.map(([name]) => name).join(), 'connected,closed');
  });
}

test('a refusal before the upgrade is reported with its status; 404 is final, 503 waits at least its Retry-After', async () => {
  await using server = await RoomServer.start();
  server.refusal = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nConnection: close\r\n\r\n';
  const { client, clock } = prepare(server.url);
  const closed = nextEvent(client, 'closed');
  const waiting = nextEvent(client, 'waiting');
  client.connect();
  const refused = { kind: 'refused', status: 503, retryAfterMs: 3_000 };
  assert.deepEqual(await closed, { end: refused, final: false });
  assert.deepEqual(await waiting, { waitMs: 3_250, attempt: 1 });
  server.refusal = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n';
  const final = nextEvent(client, 'closed');
  clock.advance(3_250);
  const notFound = { kind: 'refused', status: 404, retryAfterMs: undefined };
  assert.deepEqual(await final, { end: notFound, final: true });
});

test('it ends after the given number of attempts', async () => {
  const server = await RoomServer.start();
  const { url } = server;
  await server[Symbol.asyncDispose]();
  const { client, clock } = prepare(url, { attemptsMax: 2 });
  const waiting = nextEvent(client, 'waiting');
  client.connect();
  await waiting;
  const closed = nextEvent(client, 'closed');
  clock.advance(1_000);
  assert.deepEqual(await closed, {
    end: { kind: 'unreachable', cause: 'ECONNREFUSED' },
    final: true,
    gaveUpAfter: 2,
  });
});

test('a connection is kept while pings are answered, and replaced when one is not', async () => {
  await using server = await RoomServer.start();
  const { client, clock } = await join(server, { heartbeatIntervalMs: 1_000 });
  for (let beat = 0; beat < 2; beat++) {
    // The echo comes after the pong, so the ping is answered by now.
    client.send('still here?');
    await nextEvent(client, 'message');
    clock.advance(1_000);
    assert.equal(client.connected, true);
  }
  server.freezeAll();
  // One ping may have been answered before the freeze; the one after it cannot be.
  const closed = nextEvent(client, 'closed');
  clock.advance(2_000);
  const { end, final } = await closed;
  assert.match(end.kind === 'unreachable' ? end.cause : '', /ping was not answered within 1000 ms/);
  assert.equal(final, false);
  await leave(client);
});

test('close() while it waits for the next attempt ends it at once, and no timer is left', async () => {
  await using server = await RoomServer.start();
  const { client, clock, events } = await join(server);
  const waiting = nextEvent(client, 'waiting');
  server.cutAll();
  await waiting;
  client.close();
  const end = { kind: 'closed', code: 1000, reason: '' };
  assert.deepEqual(events.at(-1), ['closed', { end, final: true }]);
  clock.advance(3_600_000);
  assert.equal(server.handshakes.length, 1);
});

test("a browser's WebSocket, which has neither pings nor HTTP statuses, serves as the connection", async () => {
  await using server = await RoomServer.start();
  const { client, clock } = await join(server, { openSocket: browserSocket });
  const received = nextEvent(client, 'message');
  client.send('from a browser');
  assert.deepEqual(await received, { clientId: 'alice', Message: 'from a browser' });
  clock.advance(3_600_000);
  assert.equal(client.connected, true, 'no ping is missed');
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, encodeReconnectReason(10));
  assert.deepEqual(await waiting, { waitMs: 10, attempt: 1 });
  clock.advance(10);
  assert.deepEqual(await nextEvent(client, 'connected'), { again: true });
  server.freezeAll();
  const closed = nextEvent(client, 'closed');
  client.close();
  clock.advance(2_000);
  assert.equal((await closed).final, true, 'it does not wait for a server that is silent');
});

test('a browser that is let in only to be told why not was never admitted', async () => {
  await using server = await RoomServer.start();
  server.welcome = (socket) => socket.close(1008, 'wrong or missing token');
  const { client } = prepare(server.url, { openSocket: browserSocket });
  const events: string[] = [];
  client.events.on('connected', () => events.push('connected'));
  client.connect();
  const { end, final } = await nextEvent(client, 'closed');
  const expected = { kind: 'closed', code: 1008, reason: 'wrong or missing token', admitted: false };
  assert.deepEqual([end, final, events], [expected, true, []]);
});

test('a refusal before the upgrade and an absent server look the same to a browser, and it says so', async () => {
  await using server = await RoomServer.start();
  server.refusal = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n';
  for (const url of [server.url, 'ws://127.0.0.1:1/ws']) {
    const { client } = prepare(url, { openSocket: browserSocket });
    client.connect();
    const { end, final } = await nextEvent(client, 'closed');
    assert.match(end.kind === 'unreachable' ? end.cause : '', /nothing answers, or the server refuses/);
    assert.equal(final, false);
    client.close();
  }
});

test('a person who does not want to wait starts the next attempt; otherwise that does nothing', async () => {
  await using server = await RoomServer.start();
  const { client } = await join(server);
  client.retryNow();
  assert.equal(client.connected, true);
  const waiting = nextEvent(client, 'waiting');
  server.closeAll(1012, encodeReconnectReason(60_000));
  assert.equal((await waiting).waitMs, 60_000);
  client.retryNow();
  assert.deepEqual(await nextEvent(client, 'connected'), { again: true });
  assert.equal(server.handshakes.length, 2);
});

test('a connection that is taken for dead is replaced', async () => {
  await using server = await RoomServer.start();
  const { client, clock } = await join(server);
  const closed = nextEvent(client, 'closed');
  client.abandon('no echo');
  assert.deepEqual((await closed).end, { kind: 'unreachable', cause: 'no echo' });
  clock.advance(60_000);
  assert.deepEqual(await nextEvent(client, 'connected'), { again: true });
});

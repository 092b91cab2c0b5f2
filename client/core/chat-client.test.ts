import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { ChatClient, type ChatClientOptions, type ChatEvents } from './chat-client.ts';
import { HandClock, nextEvent, RoomServer } from './room-server.fixture.ts';

type Part = Partial<ChatClientOptions>;

/** A connected client, a clock in hand, and everything that was told. */
async function join(server: RoomServer, part: Part = {}) {
  const clock = new HandClock();
  const client = new ChatClient({ url: server.url, clientId: 'alice', clock, random: () => 0.5, ...part });
  const told: [keyof ChatEvents, unknown][] = [];
  for (const name of ['connected', 'message', 'closed', 'waiting'] as const) {
    client.events.on(name, (value: unknown) => told.push([name, value]));
  }
  client.connect();
  await nextEvent(client, 'connected');
  return { client, clock, told };
}

async function leave(client: ChatClient): Promise<void> {
  const gone = nextEvent(client, 'closed');
  client.close();
  await gone;
}

test('what is sent comes back as a message, with the token and the origin shown at the door', async () => {
  await using server = await RoomServer.start();
  const { client } = await join(server, { token: 'secret', origin: 'https://chat.example' });
  assert.equal(server.handshakes[0]?.headers.authorization, 'Bearer secret');
  assert.equal(server.handshakes[0]?.headers.origin, 'https://chat.example');
  const heard = nextEvent(client, 'message');
  assert.equal(client.send('héllo'), true);
  assert.deepEqual(await heard, { clientId: 'alice', Message: 'héllo' });
  await leave(client);
  assert.equal(client.send('too late'), false);
});

test('frames that are no chat message pass by, and fields beyond the two are not shown', async () => {
  await using server = await RoomServer.start();
  const { client, told } = await join(server);
  for (const text of [
    '{"type":"presence"}',
    'nonsense',
    '[]',
    '{"clientId":"b","Message":"hi","admin":true}',
  ]) {
    server.sayRaw(text);
  }
  assert.deepEqual(await nextEvent(client, 'message'), { clientId: 'b', Message: 'hi' });
  assert.equal(told.filter(([name]) => name === 'message').length, 1);
  await leave(client);
});

test('after a restart it comes back exactly when the server asked it to', async () => {
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

test('attempts in a row wait longer and longer, and a short-lived connection does not start anew', async () => {
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
  assert.equal((await waiting).waitMs, 250, 'six healthy seconds forgive what was before');
  await leave(client);
});

for (const code of [1003, 1007, 1008, 1009]) {
  test(`a close with ${code} is final`, async () => {
    await using server = await RoomServer.start();
    const { client, told } = await join(server);
    const closed = nextEvent(client, 'closed');
    server.closeAll(code, 'why');
    assert.deepEqual(await closed, { end: { kind: 'closed', code, reason: 'why' }, final: true });
    assert.equal(client.ended, true);
    assert.deepEqual(
      told.map(([name]) => name),
      ['connected', 'closed'],
    );
  });
}

test('a refusal before the upgrade is told by its status; 404 is final, 503 waits at least its Retry-After', async () => {
  await using server = await RoomServer.start();
  server.refusal = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nConnection: close\r\n\r\n';
  const clock = new HandClock();
  const client = new ChatClient({ url: server.url, clientId: 'alice', clock, random: () => 0.5 });
  const closed = nextEvent(client, 'closed');
  const waiting = nextEvent(client, 'waiting');
  client.connect();
  assert.deepEqual(await closed, {
    end: { kind: 'refused', status: 503, retryAfterMs: 3_000 },
    final: false,
  });
  assert.deepEqual(await waiting, { waitMs: 3_250, attempt: 1 });
  server.refusal = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n';
  const final = nextEvent(client, 'closed');
  clock.advance(3_250);
  assert.deepEqual(await final, {
    end: { kind: 'refused', status: 404, retryAfterMs: undefined },
    final: true,
  });
});

test('it gives up after the attempts it was given', async () => {
  const server = await RoomServer.start();
  const { url } = server;
  await server[Symbol.asyncDispose]();
  const clock = new HandClock();
  const client = new ChatClient({ url, clientId: 'alice', clock, attemptsMax: 2 });
  const waiting = nextEvent(client, 'waiting');
  client.connect();
  await waiting;
  const closed = nextEvent(client, 'closed');
  clock.advance(1_000);
  assert.deepEqual(await closed, { end: { kind: 'unreachable', cause: 'ECONNREFUSED' }, final: true });
});

test('a server that answers pings is kept, one that no longer does is given up and looked for again', async () => {
  await using server = await RoomServer.start();
  const { client, clock } = await join(server, { heartbeatIntervalMs: 1_000 });
  for (let beat = 0; beat < 2; beat++) {
    // The echo comes behind the pong, so the ping is answered by now.
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

test('leaving while it waits for the next attempt ends it at once, and no timer is left', async () => {
  await using server = await RoomServer.start();
  const { client, clock, told } = await join(server);
  const waiting = nextEvent(client, 'waiting');
  server.cutAll();
  await waiting;
  client.close();
  assert.deepEqual(told.at(-1), ['closed', { end: { kind: 'closed', code: 1000, reason: '' }, final: true }]);
  clock.advance(3_600_000);
  assert.equal(server.handshakes.length, 1);
});

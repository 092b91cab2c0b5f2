import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { wsSockets } from '../terminal/ws-socket.ts';
import { ChatClient } from './chat-client.ts';
import { ManualClock, nextEvent, RoomServer } from './room-server.fixture.ts';
import { Route } from './route.ts';

const nobody = 'http://127.0.0.1:2/connect?room=tea';
const connectUrl = ({ url }: RoomServer) => url.replace(/^ws(.*)\/ws$/, 'http$1/connect?room=tea');
const answer = (url: unknown) => ({ status: 200, body: JSON.stringify({ url, node: 'a', partition: 1 }) });

test('without a connect service the addresses have their turns after failures only', () => {
  const route = new Route({ urls: ['ws://a/ws', 'ws://b/ws'] });
  const next = () => (route.locate() as { url: string }).url;
  assert.deepEqual([next(), next()], ['ws://a/ws', 'ws://a/ws']);
  route.passOn();
  assert.equal(next(), 'ws://b/ws');
  route.passOn();
  assert.equal(next(), 'ws://a/ws');
});

test('a connect service is asked each time; one that does not answer is passed over, and then stays aside', async () => {
  await using server = await RoomServer.start();
  server.connectAnswers = [answer('ws://x/ws/tea'), answer('ws://y/ws/tea')];
  const route = new Route({ urls: ['ws://a/ws'], connectUrls: [nobody, connectUrl(server)] });
  assert.deepEqual(await route.locate(), { url: 'ws://x/ws/tea', node: 'a' });
  assert.deepEqual(await route.locate(), { url: 'ws://y/ws/tea', node: 'a' });
  assert.deepEqual(server.connectRequests, ['/connect?room=tea', '/connect?room=tea']);
});

test('a node that could not be reached is excluded from the next request, and from no other', async () => {
  await using server = await RoomServer.start();
  server.connectAnswers = ['x', 'y', 'x'].map((host) => answer(`ws://${host}/ws/tea`));
  const route = new Route({ urls: [], connectUrls: [connectUrl(server)] });
  await route.locate();
  route.passOn();
  await route.locate();
  await route.locate();
  const requests = ['/connect?room=tea', '/connect?room=tea&not=a', '/connect?room=tea'];
  assert.deepEqual(server.connectRequests, requests);
});

test('a full chat is an answer, with the wait that it asks for; the next service has the next turn', async () => {
  await using server = await RoomServer.start();
  server.connectAnswers = [{ status: 503, headers: { 'retry-after': '2' } }];
  const route = new Route({ urls: ['ws://a/ws'], connectUrls: [connectUrl(server), nobody] });
  const end = { kind: 'refused', status: 503, retryAfterMs: 2_000, by: 'connect' };
  assert.deepEqual(await route.locate(), { end });
  assert.deepEqual(await route.locate(), { end }, 'nobody answers at the other one, so it comes round again');
});

test('where no service can say, the addresses serve; without any, the last failure is told', async () => {
  await using server = await RoomServer.start();
  for (const wrong of [{ status: 404 }, { status: 200, body: 'no' }, answer('http://x'), answer(5)]) {
    server.connectAnswers = [wrong];
    const services = { connectUrls: [connectUrl(server)] };
    assert.deepEqual(await new Route({ urls: ['ws://a/ws'], ...services }).locate(), { url: 'ws://a/ws' });
    assert.ok('end' in (await new Route({ urls: [], ...services }).locate()));
  }
  const place = await new Route({ urls: [], connectUrls: [nobody] }).locate();
  const cause = 'the connect service: ECONNREFUSED';
  assert.deepEqual(place, { end: { kind: 'unreachable', cause } });
});

test('a service that does not answer in time is passed over', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close().closeAllConnections());
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort(new DOMException('', 'TimeoutError')));
  const { port } = silent.address() as AddressInfo;
  const route = new Route({ urls: [], connectUrls: [`http://127.0.0.1:${port}/connect`] });
  const cause = 'the connect service: no answer within 3000 ms';
  assert.deepEqual(await route.locate(), { end: { kind: 'unreachable', cause } });
});

test('a client that is moved asks again, and goes where it is sent with its position', async () => {
  await using here = await RoomServer.start();
  await using there = await RoomServer.start();
  for (const server of [here, there]) server.epoch = 'e1';
  here.connectAnswers = [answer(here.url), answer(there.url)];
  const clock = new ManualClock();
  const client = new ChatClient({
    ...{ url: [], connectUrls: [connectUrl(here)], connectHeaders: { authorization: 'Bearer x' } },
    ...{ clientId: 'alice', openSocket: wsSockets(), clock },
  });
  client.connect();
  await nextEvent(client, 'connected');
  const waiting = nextEvent(client, 'waiting');
  here.closeAll(4012, encodeReconnectReason(10));
  await waiting;
  clock.advance(10);
  await nextEvent(client, 'connected');
  assert.equal(there.handshakes[0]?.url, '/ws?after=e1.0');
  client.close();
});

test('a client tries its addresses in turn until one takes it', async () => {
  await using server = await RoomServer.start();
  const clock = new ManualClock();
  const client = new ChatClient({
    ...{ url: ['ws://127.0.0.1:1/ws', server.url], clientId: 'alice', openSocket: wsSockets(), clock },
  });
  client.connect();
  const { waitMs } = await nextEvent(client, 'waiting');
  clock.advance(waitMs);
  await nextEvent(client, 'connected');
  client.close();
});

test('close() while a connect service is asked ends the client at once', async () => {
  await using server = await RoomServer.start();
  server.connectAnswers = [answer(server.url)];
  const client = new ChatClient({
    ...{ url: [], connectUrls: [connectUrl(server)], clientId: 'alice', openSocket: wsSockets() },
  });
  client.connect();
  const closed = nextEvent(client, 'closed');
  client.close();
  assert.equal((await closed).final, true);
  assert.equal(client.ended, true);
});

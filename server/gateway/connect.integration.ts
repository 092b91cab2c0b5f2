/** GET /connect over connections that are kept: how many, for how long, and what ends them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { rawConnection } from '../../testing/raw-session.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ServerProcess } from '../../testing/server.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const start = (...options: string[]) =>
  ServerProcess.start('06-partitioned', [
    ...['--redis-url', redis!.url, '--redis-namespace', `connect-${process.pid}-${chats++}`],
    ...options,
  ]);
let chats = 0;

const question = 'GET /connect?room=tea HTTP/1.1\r\nHost: x\r\n';

/** Asks over that connection, and reads the answer. */
async function ask(socket: Socket, request = `${question}\r\n`): Promise<string> {
  socket.write(request);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

/** Asks over the connections of the agent. Returns its answer, and the port from which it asked. */
async function askWith(agent: http.Agent, server: ServerProcess) {
  const request = http.get(`${server.origin.replace(/^ws/, 'http')}/connect?room=tea`, { agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const from = request.socket?.localPort;
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, from };
}

test('a client asks again over the same connection; beyond the bound its connection ends', {
  skip,
}, async () => {
  await using server = await start('--connect-kept-max', '2');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let turn = 0; turn < 5; turn++) {
    const { status, from } = await askWith(agent, server);
    assert.equal(status, 200);
    ports.add(from);
  }
  assert.equal(ports.size, 1);
  const second = await rawConnection(server);
  assert.doesNotMatch(await ask(second), /connection: close/i);
  const third = await rawConnection(server);
  const ended = once(third, 'end');
  assert.match(await ask(third), /^HTTP\/1\.1 200 .*connection: close/is);
  await ended;
  second.destroy();
  agent.destroy();
  // The places are free again, as soon as the server has seen the ends.
  const deadlineMs = performance.now() + 5_000;
  for (let isKept = false; !isKept; ) {
    assert.ok(performance.now() < deadlineMs, 'nothing is kept any more');
    const fourth = await rawConnection(server);
    isKept = !/connection: close/i.test(await ask(fourth));
    fourth.destroy();
  }
});

test('an offence ends the connection: another method, a bad room, a body', { skip }, async () => {
  await using server = await start();
  const offences = {
    405: 'POST /connect HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    400: 'GET /connect?room=no/room HTTP/1.1\r\nHost: x\r\n\r\n',
    200: `${question}Content-Length: 5\r\n\r\nhello`,
  };
  for (const [status, request] of Object.entries(offences)) {
    const socket = await rawConnection(server);
    const ended = once(socket, 'end');
    assert.match(await ask(socket, request), new RegExp(`^HTTP/1.1 ${status} .*connection: close`, 'is'));
    await ended;
  }
});

test('a next request that is not finished in time, and an idle connection, are closed', {
  skip,
}, async () => {
  await using server = await start('--handshake-timeout', '500ms');
  const slow = await rawConnection(server);
  await ask(slow);
  const idle = await rawConnection(server);
  await ask(idle);
  const beganMs = performance.now();
  const cut = once(slow, 'close').then(() => performance.now() - beganMs);
  const timer = setInterval(() => slow.writable && slow.write('X'), 50);
  slow.write('GET /connect?room=tea HTTP/1.1\r\nX-Slow: ');
  const idled = once(idle, 'end').then(() => performance.now() - beganMs);
  slow.on('error', () => {});
  slow.resume();
  idle.resume();
  const [cutMs, idledMs] = await Promise.all([cut, idled]);
  clearInterval(timer);
  assert.ok(cutMs < 3_000, `the slow one was cut after ${cutMs} ms`);
  assert.ok(idledMs < 10_000, `the idle one was closed after ${idledMs} ms`);
});

test('a kept connection may become a session, and does not count as kept then', { skip }, async () => {
  await using server = await start('--connect-kept-max', '1');
  const socket = await rawConnection(server);
  assert.doesNotMatch(await ask(socket), /connection: close/i);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  assert.match(await ask(socket, `GET /ws/tea HTTP/1.1\r\nHost: x\r\n${upgrade}${key}`), /^HTTP\/1\.1 101 /);
  await server.reaches('chat_sessions', 1);
  const other = await rawConnection(server);
  assert.doesNotMatch(await ask(other), /connection: close/i);
  socket.destroy();
  other.destroy();
});

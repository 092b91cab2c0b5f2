/** Handshakes and control frames that break a rule, and a server that has no descriptors left. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { frame } from '#host/raw-peer.ts';
import { Person, refusedAt } from '../../testing/person.ts';
import { rawConnection, rawSession, readCloseCode } from '../../testing/raw-session.ts';
import { secretFile } from '../../testing/secret-file.ts';
import { ServerProcess } from '../../testing/server.ts';

const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

test('a handshake in HTTP/1.0 or without a Host is refused with 400 and counted', async () => {
  await using server = await ServerProcess.start('03-cursor');
  for (const start of ['GET /ws HTTP/1.0\r\nHost: x\r\n', 'GET /ws HTTP/1.1\r\n']) {
    const socket = await rawConnection(server);
    socket.write(start + upgrade + key);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 400 .*HTTP\/1\.1 with a Host header/s);
  }
  assert.equal((await server.metrics())('chat_rejections_total{reason="http"}'), 2);
});

test('the scheme of a bearer token may be written in any case', async () => {
  await using server = await ServerProcess.start('03-cursor', ['--token-file', secretFile('secret')]);
  for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
    const alice = await Person.join(server.url(), 'a', { headers: { authorization: `${scheme} secret` } });
    alice.say('in');
    await alice.hears(1);
  }
});

test('pings and pongs beyond the allowance are refused with 1008 and counted, those within are answered', async () => {
  await using server = await ServerProcess.start('03-cursor');
  const counted = async () => (await server.metrics())('chat_evictions_total{reason="control_rate"}');
  for (const [at, opcode] of [0x89, 0x8a].entries()) {
    const frames = (count: number) => Buffer.concat(Array(count).fill(frame(opcode, Buffer.alloc(0))));
    const patient = await rawSession(server);
    patient.write(frames(45));
    const mallory = await rawSession(server);
    mallory.write(frames(60));
    assert.equal(await readCloseCode(mallory), 1008);
    assert.equal(await counted(), at + 1);
    assert.equal(patient.destroyed, false);
  }
  await server.reaches('chat_sessions', 2);
});

test('messages beyond the allowance are counted by that reason', async () => {
  await using server = await ServerProcess.start('03-cursor', ['--messages-burst-max', '3']);
  const mallory = await Person.join(server.url(), 'mallory');
  for (let number = 0; number < 10; number++) mallory.say(`${number}`);
  assert.equal((await mallory.closed).code, 1008);
  assert.equal((await server.metrics())('chat_evictions_total{reason="message_rate"}'), 1);
});

test('with few descriptors it warns at its start, refuses with 503 at the limit, and still answers operators', async () => {
  await using server = await ServerProcess.start('03-cursor', [], [], { descriptorsMax: 200 });
  const warning = server.log.find(({ event }) => event === 'few descriptors');
  const places = Number(warning?.places);
  assert.deepEqual([warning?.limit, warning?.sessionsMax], [200, 15_000]);
  assert.ok(places > 50 && places < 150, `${places} places`);
  const people = await Promise.all(Array.from({ length: places }, () => Person.join(server.url(), 'p')));
  const { status, headers } = await refusedAt(server.url());
  assert.equal(status, 503);
  assert.ok(Number(headers['retry-after']) >= 1);
  // Connections that say nothing take the rest; from then on newcomers are dropped.
  const silent = await Promise.all(Array.from({ length: 100 }, () => rawConnection(server)));
  for (const path of ['/readyz', '/metrics', '/healthz']) assert.equal((await server.get(path)).status, 200);
  await server.eventually(
    (metrics) => metrics('chat_rejections_total{reason="descriptors"}'),
    (refused) => refused > 50,
  );
  people[0]!.say('still here');
  await people[1]!.hears(1);
  for (const socket of silent) socket.destroy();
  await people[2]!.leave();
  await server.reaches('chat_sessions', places - 1);
  await Person.join(server.url(), 'newcomer');
});

test('newcomers beyond the pace wait for their turn, and are refused with 503 where too many wait', async () => {
  await using server = await ServerProcess.start('03-cursor', ['--handshake-rate-max', '2/s']);
  const asked = Array.from({ length: 6 }, (_, number) =>
    Person.join(server.url(), `p${number}`).catch((error: Error) => error.message),
  );
  const come = await Promise.all(asked);
  const people = come.filter((one) => one instanceof Person);
  const refused = come.filter((one) => typeof one === 'string');
  // Who comes while the first ones wait may find a place that has become free.
  assert.ok(people.length >= 3 && refused.length >= 1, `${people.length} in, ${refused}`);
  for (const message of refused) assert.match(message, /503/);
  const [first] = people;
  first!.say('all here');
  for (const person of people) await person.hears(1);
  const metrics = await server.metrics();
  assert.equal(metrics('chat_rejections_total{reason="crowded"}'), refused.length);
  assert.equal(metrics('chat_handshakes_waiting'), 0);
});

test('who waits for a turn when the server begins to stop is refused then', async () => {
  await using server = await ServerProcess.start('03-cursor', ['--handshake-rate-max', '1/s']);
  await Person.join(server.url(), 'first');
  const waiting = refusedAt(server.url());
  await server.reaches('chat_handshakes_waiting', 1);
  const stopped = server.stop();
  assert.equal((await waiting).status, 503);
  await stopped;
});

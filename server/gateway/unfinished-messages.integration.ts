/** Messages that are never finished: they cost the server no memory, and end after a stated time. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { frame, frameHeader, textFrame } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { Person } from '../../testing/person.ts';
import { rawSession, readCloseCode } from '../../testing/raw-session.ts';
import { ServerProcess } from '../../testing/server.ts';

const stage = '03-cursor';
const mebibyte = 1024 ** 2;
const fragment = (first: boolean, text: string, last = false) =>
  frame((last ? 0x80 : 0) | (first ? 1 : 0), Buffer.from(text));
const evictions = (reason: string) => `chat_evictions_total{reason="${reason}"}`;

/** A message in as many fragments. */
function inFragments(text: string, count: number): Buffer {
  const cut = (part: number) => Math.floor((text.length * part) / count);
  const parts = Array.from({ length: count }, (_, part) => text.slice(cut(part), cut(part + 1)));
  return Buffer.concat(parts.map((part, at) => fragment(at === 0, part, at === count - 1)));
}

test('a message in 64 fragments arrives; one more is refused with 1008 and counted', async () => {
  await using server = await ServerProcess.start(stage);
  const listener = await Person.join(server.url('raw'), 'listener');
  const text = encodeMessage({ clientId: 'a', Message: 'x'.repeat(200) });
  const patient = await rawSession(server);
  patient.write(inFragments(text, 64));
  assert.deepEqual((await listener.hears(1)).heard, [text]);
  const mallory = await rawSession(server);
  const code = readCloseCode(mallory);
  mallory.write(inFragments(text, 65));
  assert.equal(await code, 1008);
  assert.equal((await server.metrics())(evictions('fragments')), 1);
});

test('bytes that come one by one are refused with 1008 and counted once they are too many pieces', async () => {
  await using server = await ServerProcess.start(stage);
  const mallory = (await rawSession(server)).setNoDelay();
  const code = readCloseCode(mallory);
  mallory.write(frameHeader(0x81, 20_000));
  for (let sent = 0; sent < 1_000 && !mallory.destroyed; sent++) {
    mallory.write('x');
    await sleep(1);
  }
  assert.equal(await code, 1008);
  assert.equal((await server.metrics())(evictions('fragments')), 1);
});

test('a message that is not finished in time is refused with 1008 and counted, whatever comes beside it', async () => {
  await using server = await ServerProcess.start(stage, ['--message-timeout', '400ms']);
  const talker = await rawSession(server);
  const whole = textFrame(encodeMessage({ clientId: 'a', Message: '' }));
  const start = Buffer.from([0x81]);
  const begun = [start, frameHeader(0x81, 100), fragment(true, '{'), Buffer.concat([whole, start])];
  const codes = begun.map(async (bytes) => {
    const mallory = await rawSession(server);
    const code = readCloseCode(mallory);
    mallory.write(bytes);
    const ping = () => mallory.destroyed || mallory.write(frame(0x89, Buffer.alloc(0)));
    const pinging = bytes === begun[2] ? setInterval(ping, 150) : undefined;
    return code.finally(() => clearInterval(pinging));
  });
  // Messages in two pieces, for longer than the timeout: each of them is finished in time.
  const message = textFrame(encodeMessage({ clientId: 'talker', Message: 'hello' }));
  talker.resume();
  for (let half = 0; half < 20; half++) {
    talker.write(half % 2 === 0 ? message.subarray(0, 9) : Buffer.concat([message.subarray(9), message]));
    await sleep(60);
  }
  assert.deepEqual(await Promise.all(codes), [1008, 1008, 1008, 1008]);
  assert.equal((await server.metrics())(evictions('message_time')), 4);
  assert.equal(talker.destroyed, false);
});

test('many connections that never finish their messages cost little memory', async () => {
  await using server = await ServerProcess.start(stage);
  const residentMebibytes = async () => (await server.metrics())('process_resident_memory_bytes') / mebibyte;
  const before = await residentMebibytes();
  await Promise.all(Array.from({ length: 40 }, () => rawSession(server).then(sendFragments)));
  const grown = (await residentMebibytes()) - before;
  // Measured: 63 MiB, most of it read buffers that wait for a collection, and no more after further rounds.
  // With the default bounds of ws it was 203 MiB after one round, and more after each.
  assert.ok(grown < 120, `grew by ${grown} MiB`);
  await server.reaches(evictions('fragments'), 40);
});

/** Sends tiny fragments without end, until 3 MB are sent or the server has cut the connection. */
async function sendFragments(socket: Socket): Promise<void> {
  socket.resume();
  socket.write(fragment(true, 'x'));
  const block = Buffer.concat(Array<Buffer>(9_000).fill(fragment(false, 'x')));
  for (let sent = 0; sent < 3_000_000 && !socket.destroyed; sent += block.length) {
    if (socket.write(block)) continue;
    const over = new AbortController();
    const ways = ['drain', 'close'].map((event) => once(socket, event, { signal: over.signal }));
    await Promise.race(ways.map((way) => way.catch(() => {}))).finally(() => over.abort());
  }
}

/** The memory cost of readers that never read: bounded with limits, unbounded on the control. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from '../../testing/person.ts';
import { rawSession } from '../../testing/raw-session.ts';
import { noRate, ServerProcess } from '../../testing/server.ts';

const mebibyte = 1024 * 1024;
const messageBytes = 4_000;

/** A room with a speaker, and with readers that stop reading at once. */
async function fill(server: ServerProcess, stalledReaders: number): Promise<Person> {
  const speaker = await Person.join(server.url(), 'speaker');
  for (let reader = 0; reader < stalledReaders; reader++) (await rawSession(server, '/ws')).pause();
  return speaker;
}

/** Sends and receives at least `bytes`; resolves to the highest resident memory meanwhile, in bytes. */
async function speak(server: ServerProcess, speaker: Person, bytes: number): Promise<number> {
  let residentBytesMax = 0;
  const filler = 'x'.repeat(messageBytes);
  const firstNumber = speaker.heard.length;
  let number = firstNumber;
  while ((number - firstNumber) * messageBytes < bytes) {
    for (let turn = 0; turn < 100; turn++) speaker.say(`${number++} ${filler}`);
    await speaker.hears(number);
    const metrics = await server.metrics();
    residentBytesMax = Math.max(residentBytesMax, metrics('process_resident_memory_bytes'));
  }
  return residentBytesMax;
}

// Measured: 02 grows by 26 MiB (its queues share the payloads), 03 by 32 MiB (32 segments of 256 KiB).
// Without bounds it would be above 1,500 MiB: the part of 100 times 24 MiB that the kernel does not hold.
const growthMebibytesMax = 100;

for (const stage of ['02-bounded', '03-cursor']) {
  test(`${stage}: a hundred readers that never read are evicted, and memory stays within its bound`, async () => {
    await using server = await ServerProcess.start(stage, noRate);
    const speaker = await fill(server, 100);
    const before = await speak(server, speaker, 0.5 * mebibyte);
    const growthBytes = (await speak(server, speaker, 24 * mebibyte)) - before;
    assert.ok(growthBytes < growthMebibytesMax * mebibyte, `grew by ${growthBytes / mebibyte} MiB`);
    const numbers = speaker.texts.map((text) => Number.parseInt(text, 10));
    assert.deepEqual(numbers, [...numbers.keys()], 'the session that reads misses nothing');
    await server.eventually(
      (metrics) => [metrics('chat_evictions_total{reason="slow_consumer"}'), metrics('chat_sessions')],
      ([evictions, sessions]) => evictions === 100 && sessions === 1,
    );
  });
}

test('01-naive: ten readers that never read make memory grow with every message, and none is evicted', async () => {
  await using server = await ServerProcess.start('01-naive');
  const speaker = await fill(server, 10);
  // The kernel's buffers are full after some megabytes each; from then on the server keeps every byte.
  let residentBytes = await speak(server, speaker, 8 * mebibyte);
  for (let step = 0; step < 3; step++) {
    const grown = (await speak(server, speaker, 8 * mebibyte)) - residentBytes;
    assert.ok(grown > 40 * mebibyte, `grew by ${grown / mebibyte} MiB for 10 times 8 MiB`);
    residentBytes += grown;
  }
  assert.equal((await server.metrics())('chat_sessions'), 11);
});

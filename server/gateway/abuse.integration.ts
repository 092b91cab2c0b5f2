/** Hostile and broken clients against the real process: none of them disturbs a healthy neighbour. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { frame, frameHeader, textFrame } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { Person } from '../../testing/person.ts';
import { closed, rawConnection, rawSession, readCloseCode, within } from '../../testing/raw-session.ts';
import { secretFile } from '../../testing/secret-file.ts';
import { noRate, ServerProcess } from '../../testing/server.ts';
import { stages } from '../stages/index.ts';
import { isBounded, isPerCore } from '../stages/stage.ts';

for (const stage of stages) {
  // Stages with services or several processes compose the same gateway and fan-out.
  if (!isBounded(stage) || stage.services.length > 0 || isPerCore(stage)) continue;
  const { name } = stage;
  const attack = (title: string, limits: string, run: (server: ServerProcess) => Promise<void>) =>
    test(title, async () => {
      await using server = await ServerProcess.start(name, limits.split(' ').filter(Boolean));
      await besideTalk(server, () => run(server));
    });

  describe(`abuse of ${name}`, { concurrency: true }, () => {
    attack('a frame of 1 MB is refused with 1009', '', async (server) => {
      for (const declaredBytes of [1_000_000, 2 ** 40]) {
        const mallory = await rawSession(server);
        const closeCode = readCloseCode(mallory);
        mallory.write(frameHeader(0x81, declaredBytes));
        mallory.write(Buffer.alloc(1_000_000));
        assert.equal(await closeCode, 1009, `${declaredBytes} bytes`);
      }
    });

    attack('half, silent and slow handshakes are cut off', '--handshake-timeout 400ms', async (server) => {
      const half = await rawConnection(server);
      half.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n');
      const silent = await rawConnection(server);
      const slow = await rawConnection(server);
      slow.write('GET /ws HTTP/1.1\r\n');
      const dripping = setInterval(() => slow.write('x'), 20);
      await cutOff(half, silent, slow);
      clearInterval(dripping);
    });

    attack('a thousand malformed frames close a thousand sessions, and none is left', '', async (server) => {
      for (let round = 0; round < 1_000 / 50; round++) {
        const codes = Array.from({ length: 50 }, async (_unused, index) => {
          const { bytes, code } = malformed[index % malformed.length]!;
          const mallory = await rawSession(server);
          const closeCode = readCloseCode(mallory);
          // A second frame in the same packet must not count either.
          mallory.write(Buffer.concat([bytes, textFrame('{"clientId":"mallory","Message":"after"}')]));
          assert.equal(await closeCode, code, bytes.toString('hex'));
        });
        await within(10_000, Promise.all(codes));
      }
      await server.reaches('chat_sessions', 2);
    });

    attack(
      'a connection that stays open after its close frame, or after a refused token, is cut',
      `--token-file ${secretFile('secret')} --eviction-grace 200ms`,
      async (server) => {
        const wrongToken = await rawSession(server, '/ws?token=wrong');
        const broken = await rawSession(server, '/ws?token=secret');
        broken.write(malformed[0]!.bytes);
        const binary = await rawSession(server, '/ws?token=secret');
        binary.write(frame(0x82, Buffer.from('x')));
        await cutOff(wrongToken, broken, binary);
      },
    );

    test('readers that stall together are evicted together, and the speaker is not disturbed', async () => {
      // On 02 the queues of all exceed the room's bound before one exceeds its own; 03 bounds all logs.
      const bounds = ['--outbound-total-size-max', '2MiB', '--log-size-max', '2MiB'];
      await using server = await ServerProcess.start(name, [...noRate, ...bounds]);
      const speaker = await Person.join(server.url(), 'speaker');
      for (let reader = 0; reader < 10; reader++) (await rawSession(server, '/ws')).pause();
      const evicted = 'chat_evictions_total{reason="slow_consumer"}';
      let said = 0;
      while ((await server.metrics())(evicted) < 10) {
        for (let turn = 0; turn < 100; turn++) speaker.say(`${said++} ${'x'.repeat(4_000)}`);
        await speaker.hears(said);
      }
      await server.reaches('chat_sessions', 1);
      speaker.say('still here');
      await speaker.hears(said + 1);
    });

    attack('a peer that pings without end and reads no pong is cut off in time', '', async (server) => {
      const mallory = await rawSession(server);
      mallory.pause();
      const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(0x89, Buffer.alloc(125))));
      const cut = closed(mallory);
      const flood = setInterval(() => mallory.writableLength === 0 && mallory.write(pings), 1);
      await within(5_000, cut);
      clearInterval(flood);
    });
  });
}

function cutOff(...sockets: Socket[]): Promise<unknown> {
  return within(3_000, Promise.all(sockets.map((socket) => closed(socket.resume()))));
}

/** Runs an attack beside two healthy sessions: one sends a number every 20 ms, and both must receive all. */
async function besideTalk(server: ServerProcess, attack: () => Promise<void>): Promise<void> {
  const people = await Person.joinAll(`${server.url()}?token=secret`, ['speaker', 'listener']);
  let said = 0;
  const say = () => people[0]!.say(`${said++}`);
  const timer = setInterval(say, 20);
  try {
    await attack();
    clearInterval(timer);
    say();
    await Promise.all(people.map((person) => person.hears(said)));
    const expected = Array.from({ length: said }, (_, number) => `${number}`);
    for (const person of people) {
      assert.deepEqual(person.texts, expected, 'every message, once and in order');
      await person.leave();
    }
  } finally {
    clearInterval(timer);
    for (const { ws } of people) ws.terminate();
  }
}

/** Frames that break the protocol, each in another way, and the close codes that answer them. */
const malformed: readonly { bytes: Buffer; code: number }[] = [
  { bytes: frame(0x81, Buffer.from([0xff, 0xfe])), code: 1007 },
  { bytes: textFrame('{"clientId":"mallory"'), code: 1007 },
  { bytes: textFrame('{"clientId":1,"Message":"x"}'), code: 1007 },
  { bytes: textFrame(encodeMessage({ clientId: 'm'.repeat(65), Message: 'x' })), code: 1007 },
  { bytes: textFrame(encodeMessage({ clientId: 'm', Message: 'x'.repeat(4_097) })), code: 1009 },
  { bytes: frame(0x82, Buffer.from('binary')), code: 1003 },
  { bytes: frame(0xc1, Buffer.from('a reserved bit')), code: 1002 },
  { bytes: frame(0x83, Buffer.from('a reserved opcode')), code: 1002 },
  { bytes: frame(0x80, Buffer.from('a continuation of nothing')), code: 1002 },
  { bytes: frame(0x89, Buffer.alloc(126)), code: 1002 },
  { bytes: frame(0x09, Buffer.from('a fragmented ping')), code: 1002 },
  { bytes: Buffer.from([0x81, 0x02, 0x7b, 0x7d]), code: 1002 },
];

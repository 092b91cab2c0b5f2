/** Hostile and broken clients against the real process: none of them disturbs a healthy neighbour. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage } from '#protocol';
import { Person } from '../../testing/person.ts';
import {
  closed,
  frame,
  frameHeader,
  rawConnection,
  rawSession,
  readCloseCode,
  textFrame,
  within,
} from '../../testing/raw-session.ts';
import { ServerProcess } from '../../testing/server.ts';
import { stages } from '../stages/index.ts';
import { isBounded, isPerCore } from '../stages/stage.ts';

for (const stage of stages) {
  // Stages with services or several processes compose the same gateway and fan-out.
  if (!isBounded(stage) || stage.services.length > 0 || isPerCore(stage)) continue;
  const { name } = stage;
  const start = (...limits: string[]) => ServerProcess.start(name, limits);

  describe(`abuse of ${name}`, { concurrency: true }, () => {
    test('a frame of 1 MB is refused with 1009', async () => {
      await using server = await start();
      using talk = await Talk.start(server);
      for (const declaredBytes of [1_000_000, 2 ** 40]) {
        const mallory = await rawSession(server);
        const closeCode = readCloseCode(mallory);
        mallory.write(frameHeader(0x81, declaredBytes));
        mallory.write(Buffer.alloc(1_000_000));
        assert.equal(await closeCode, 1009, `${declaredBytes} bytes`);
      }
      await talk.endsWell();
    });

    test('half a handshake, a silent connection and one that sends a byte at a time are cut off', async () => {
      await using server = await start('--handshake-timeout-ms', '400');
      using talk = await Talk.start(server);
      const half = await rawConnection(server);
      half.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n');
      const silent = await rawConnection(server);
      const slow = await rawConnection(server);
      slow.write('GET /ws HTTP/1.1\r\n');
      const dripping = setInterval(() => slow.write('x'), 20);
      await within(3_000, Promise.all([half, silent, slow].map((socket) => closed(socket.resume()))));
      clearInterval(dripping);
      await talk.endsWell();
    });

    test('a thousand malformed frames close a thousand connections, and no session is left', async () => {
      await using server = await start();
      using talk = await Talk.start(server);
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
      await server.eventually(
        (metrics) => metrics('chat_sessions'),
        (sessions) => sessions === 2,
      );
      await talk.endsWell();
    });

    test('a connection that stays open after its close frame, or after a refused token, is cut', async () => {
      await using server = await start('--token', 'secret', '--eviction-grace-ms', '200');
      using talk = await Talk.start(server);
      const wrongToken = await rawSession(server, '/ws?token=wrong');
      const broken = await rawSession(server, '/ws?token=secret');
      broken.write(malformed[0]!.bytes);
      const binary = await rawSession(server, '/ws?token=secret');
      binary.write(frame(0x82, Buffer.from('x')));
      await within(3_000, Promise.all([wrongToken, broken, binary].map((socket) => closed(socket.resume()))));
      await talk.endsWell();
    });

    test('readers that stall together are evicted together, and the speaker is not disturbed', async () => {
      const noRate = ['--messages-per-second-max', '1000000', '--messages-burst-max', '1000000'];
      // On 02 the queues of all exceed the room's bound before one exceeds its own; on 03 the log is bounded
      // for all.
      const bounds = ['--outbound-total-bytes-max', '2097152', '--log-bytes-max', '2097152'];
      await using server = await start(...noRate, ...bounds);
      const speaker = await Person.join(server.url(), 'speaker');
      for (let reader = 0; reader < 10; reader++) (await rawSession(server, '/ws')).pause();
      const evicted = 'chat_evictions_total{reason="slow_consumer"}';
      let said = 0;
      while ((await server.metrics())(evicted) < 10) {
        for (let turn = 0; turn < 100; turn++) speaker.say(`${said++} ${'x'.repeat(4_000)}`);
        await speaker.hears(said);
      }
      await server.eventually(
        (metrics) => metrics('chat_sessions'),
        (sessions) => sessions === 1,
      );
      speaker.say('still here');
      await speaker.hears(said + 1);
    });

    test('a peer that pings without end and reads no pong is cut before the pongs pile up', async () => {
      await using server = await start();
      using talk = await Talk.start(server);
      const mallory = await rawSession(server);
      mallory.pause();
      const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(0x89, Buffer.alloc(125))));
      const cut = closed(mallory);
      const flood = setInterval(() => mallory.writableLength === 0 && mallory.write(pings), 1);
      await within(5_000, cut);
      clearInterval(flood);
      await talk.endsWell();
    });
  });
}

/** Two healthy sessions: one sends a number every 20 ms, the other must receive every number in order. */
class Talk {
  readonly #speaker: Person;
  readonly #listener: Person;
  readonly #timer: NodeJS.Timeout;
  #said = 0;

  private constructor(speaker: Person, listener: Person) {
    this.#speaker = speaker;
    this.#listener = listener;
    this.#timer = setInterval(() => speaker.say(`${this.#said++}`), 20);
  }

  static async start(server: ServerProcess): Promise<Talk> {
    const url = `${server.url()}?token=secret`;
    return new Talk(await Person.join(url, 'speaker'), await Person.join(url, 'listener'));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { ws } of [this.#speaker, this.#listener]) ws.terminate();
  }

  /** Sends one more message and stops; both must have received every message, once and in order. */
  async endsWell(): Promise<void> {
    clearInterval(this.#timer);
    this.#speaker.say(`${this.#said++}`);
    await this.#listener.hears(this.#said);
    const expected = Array.from({ length: this.#said }, (_, number) => `${number}`);
    for (const person of [this.#speaker, this.#listener]) {
      assert.deepEqual(
        person.messages.map(({ Message }) => Message),
        expected,
      );
      await person.leave();
    }
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

/**
 * What is fuzzed: every reader of bytes that somebody else has written. Each target is a property that must
 * hold for any input: a reader takes it or refuses it in its own way, never throws anything else, and does
 * not depend on how a stream was cut.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodeMessage,
  defaultMessageLimits,
  encodeJoined,
  encodeMessage,
  encodePosition,
  globalRoom,
  isDecodeFault,
  isRoomName,
  parseJoined,
  parsePosition,
  pathOfRoom,
  roomOfPath,
  utf8Bytes,
} from '#protocol';
import { FrameScanner } from '../loadtest/wire/frame-scanner.ts';
import { readHandshakeResponse } from '../loadtest/wire/handshake.ts';
import {
  BatchError,
  BatchQueue,
  checkBatch,
  readBatchHeader,
  visitBatch,
} from '../server/backplane/batch.ts';
import { BatchReader, withLength } from '../server/backplane/batch-reader.ts';
import { Admission } from '../server/gateway/admission.ts';
import { connectTarget } from './connect-target.ts';

export type Target = { name: string; property(): fc.IRawProperty<unknown> };

const bytesMax = 70_000;
const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const anyCuts = fc.array(fc.nat(), { maxLength: 20 });

/** Some bytes of it set to others, and its end cut off. */
const mutated = (valid: fc.Arbitrary<Buffer>) =>
  fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(8))
    .map(([bytes, changes, cut]) => {
      const changed = Buffer.from(bytes);
      if (changed.length > 0) for (const [at, byte] of changes) changed[at % changed.length] = byte;
      return changed.subarray(
        0,
        Math.max(0, changed.length - (cut === 8 ? 1 + ((changes[0]?.[0] ?? 0) % 9) : 0)),
      );
    });

function cut(stream: Buffer, points: readonly number[]): Buffer[] {
  const places = [...new Set(points.map((point) => point % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => stream.subarray(from, places[i] ?? stream.length));
}

const anyFrame = fc
  .tuple(
    fc.nat(255),
    fc.oneof(
      anyBytes,
      fc.constantFrom(125, 126, 65_535, 65_536).map((size) => Buffer.alloc(size)),
    ),
  )
  .map(([first, payload]) => {
    const { length } = payload;
    const header =
      length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0];
    const more =
      length < 65_536 ? [] : [(length >> 24) & 255, (length >> 16) & 255, (length >> 8) & 255, length & 255];
    return Buffer.concat([Buffer.from([first, ...header, ...more]), payload]);
  });
const anyFrames = fc.array(anyFrame, { maxLength: 6 }).map((frames) => Buffer.concat(frames));

/** All that the scanner says of a stream, in order. */
function scan(chunks: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const scanner = new FrameScanner(bytesMax);
  const sink = {
    message: (bytes: Buffer, _frameAt: number, from: number, end: number, isText: boolean) =>
      seen.push(`${isText} ${bytes.toString('latin1', from, end)}`),
    ping: (bytes: Buffer, from: number, end: number) =>
      seen.push(`ping ${bytes.toString('latin1', from, end)}`),
    close: (code: number, reason: string) => seen.push(`close ${code} ${reason}`),
    fault: () => seen.push('fault'),
  };
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; ) {
      const next = scanner.next(chunk, at, chunk.length, sink);
      assert.ok(next > at, 'it goes on');
      at = next;
    }
  return seen;
}

const anyJson = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .record({ clientId: fc.anything(), Message: fc.anything(), type: fc.anything() }, { requiredKeys: [] })
    .map((value) => jsonOf(value)),
  fc
    .tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
    .map(([clientId, Message]) => encodeMessage({ clientId, Message })),
);

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return ''; // A bigint, or a cycle.
  }
}

const anyRoom = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
const anyPublisher = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((id) => Buffer.from(id).toString('hex'));
const anyBatch = fc
  .tuple(
    fc.array(fc.tuple(fc.oneof(anyRoom, fc.constant(globalRoom)), fc.string())),
    anyPublisher,
    fc.nat(2 ** 31 - 1),
  )
  .map(([messages, publisher, sequence]) => {
    const queue = new BatchQueue();
    for (const [room, text] of messages) queue.push(room, Buffer.from(text));
    return queue.take({ kind: 'messages', publisher, sequence, publishedAtMs: 1 }, 10_000);
  });

/** Undefined where the batch is refused in the proper way. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof BatchError, `${error}`);
    return undefined;
  }
}

const bounds = { sessionsMax: 10, handshakeTimeoutMs: 1, handshakesPerSecondMax: 10, overloadLagMs: 10 };
const settings = { token: 'secret', origins: [], ...bounds };
const drain = {
  drainDeadlineMs: 1,
  drainNoticeMs: 0,
  drainBatchSessions: 1,
  drainBatchIntervalMs: 0,
  reconnectWaitMsMax: 1,
};
const admission = new Admission({ ...settings, ...drain }, { resumes: true, logsIn: true });
const idle = { sessions: 0, ready: true, lagMs: 0, placesMax: 10 };
const anyPath = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.webPath(),
  fc
    .tuple(
      fc.constantFrom('/ws', '/ws/', '/ws?', '/ws/tea?token=', '/ws?after=', '//'),
      fc.string({ unit: 'binary' }),
    )
    .map(([a, b]) => a + b),
);

export const targets: readonly Target[] = [
  {
    name: 'frame scanner of the simulator',
    property: () =>
      fc.property(fc.oneof(anyBytes, anyFrames, mutated(anyFrames)), anyCuts, (stream, points) => {
        assert.deepEqual(scan(cut(stream, points)), scan([stream]));
      }),
  },
  {
    name: 'response of the handshake',
    property: () =>
      fc.property(
        mutated(
          fc.oneof(
            anyBytes,
            fc.string().map((text) => Buffer.from(`HTTP/1.1 101 x\r\nUpgrade: websocket\r\n${text}\r\n\r\n`)),
          ),
        ),
        (bytes) => {
          const response = readHandshakeResponse(bytes, 'accept');
          assert.ok(response.state !== 'open' || response.framesAt <= bytes.length);
        },
      ),
  },
  {
    name: 'chat message',
    property: () =>
      fc.property(anyJson, (text) => {
        const message = decodeMessage(text, defaultMessageLimits);
        if (isDecodeFault(message)) return;
        assert.deepEqual(Object.keys(message).sort(), ['Message', 'clientId']);
        assert.ok(
          message.clientId.length >= 1 && message.clientId.length <= defaultMessageLimits.clientIdCharsMax,
        );
        assert.ok(utf8Bytes(message.Message) <= defaultMessageLimits.messageBytesMax);
        assert.equal(utf8Bytes(message.Message), Buffer.byteLength(message.Message));
        assert.deepEqual(decodeMessage(encodeMessage(message), defaultMessageLimits), message);
      }),
  },
  {
    name: 'batch between processes',
    property: () =>
      fc.property(fc.oneof(anyBytes, anyBatch, mutated(anyBatch)), (bytes) => {
        const header = orRefused(() => readBatchHeader(bytes));
        if (header === undefined || orRefused(() => checkBatch(bytes) ?? true) === undefined) return;
        // What was taken is written again as the same bytes.
        const queue = new BatchQueue();
        visitBatch(bytes, (room, payload) => queue.push(room, payload));
        assert.deepEqual(queue.take(header, bytes.length + 1), bytes);
      }),
  },
  {
    name: 'stream of batches',
    property: () =>
      fc.property(fc.array(anyBatch, { maxLength: 5 }), anyCuts, (batches, points) => {
        const stream = Buffer.concat(batches.map(withLength));
        const read: Buffer[] = [];
        const reader = new BatchReader(20_000);
        for (const chunk of cut(stream, points)) reader.read(chunk, (batch) => read.push(Buffer.from(batch)));
        assert.deepEqual(read, batches);
      }),
  },
  {
    name: 'path of a request',
    property: () =>
      fc.property(
        anyPath,
        fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        (url, authorization) => {
          const room = roomOfPath(url);
          if (room !== undefined) assert.ok(room === globalRoom || isRoomName(room));
          if (room !== undefined) assert.equal(roomOfPath(pathOfRoom(room)), room);
          const headers = { host: 'x', ...(authorization !== undefined && { authorization }) };
          const request = { httpVersion: '1.1', url, headers } as Parameters<Admission['decide']>[0];
          const decision = admission.decide(request, idle);
          if ('room' in decision) assert.equal(decision.room, room);
          // What names a room is refused only for its position.
          else assert.equal(decision.reason, room === undefined ? 'path' : 'position');
          if (room !== undefined && !url.includes('secret') && !authorization?.includes('secret'))
            assert.equal(admission.hasToken(request), false);
        },
      ),
  },
  connectTarget,
  {
    name: 'position and joined frame',
    property: () =>
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.stringMatching(/^[A-Za-z0-9_-]{1,70}\.\d{1,20}$/),
          anyJson,
        ),
        fc.string(),
        fc.boolean(),
        (text, room, recovered) => {
          const position = parsePosition(text);
          if (position !== undefined) {
            assert.equal(encodePosition(position), text);
            assert.ok(Number.isSafeInteger(position.offset) && position.offset >= 0);
            const joined = { ...position, room, recovered };
            assert.deepEqual(parseJoined(encodeJoined(joined)), joined);
          }
          for (const frame of [
            text,
            `{"type":"joined"${text}`,
            `{"type":"joined","room":"r",${text.slice(1)}`,
          ])
            parseJoined(frame);
        },
      ),
  },
];

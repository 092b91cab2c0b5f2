import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { FrameScanner, fragmentsMax } from './frame-scanner.ts';

const messageBytesMax = 70_000;
/** Exported by ws, but not declared in its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

type Seen = {
  messages: { text: string; isText: boolean }[];
  pings: string[];
  close: string;
  failed: boolean;
};
const newSeen = (): Seen => ({ messages: [], pings: [], close: '', failed: false });

/** What the scanner reports about a stream that arrives in these chunks. */
function scan(chunks: readonly Buffer[]): Seen {
  const seen = newSeen();
  const scanner = new FrameScanner(messageBytesMax);
  const sink = {
    message(bytes: Buffer, _frameAt: number, payloadAt: number, end: number, isText: boolean) {
      seen.messages.push({ text: bytes.toString('latin1', payloadAt, end), isText });
    },
    ping(bytes: Buffer, start: number, end: number) {
      seen.pings.push(bytes.toString('latin1', start, end));
    },
    close(code: number, reason: string) {
      seen.close = `${code} ${reason}`;
    },
    fault() {
      seen.failed = true;
    },
  };
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; ) at = scanner.next(chunk, at, chunk.length, sink);
  return seen;
}

/** What the receiver of `ws` reports about the same stream: the model. */
async function scanWithWs(stream: Buffer): Promise<Seen> {
  const seen = newSeen();
  const limits = { maxPayload: messageBytesMax, maxFragments: fragmentsMax, skipUTF8Validation: true };
  const receiver = new Receiver({ isServer: false, extensions: {}, ...limits });
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    seen.messages.push({ text: data.toString('latin1'), isText: !isBinary });
  });
  receiver.on('ping', (data: Buffer) => seen.pings.push(data.toString('latin1')));
  receiver.on('conclude', (code: number, reason: Buffer) => {
    seen.close = `${code} ${reason.toString()}`;
  });
  receiver.on('error', () => {
    seen.failed = true;
  });
  receiver.write(stream);
  await new Promise(setImmediate); // It reports faults a tick later.
  return seen;
}

function cut(stream: Buffer, points: readonly number[]): Buffer[] {
  const places = [...new Set(points.map((point) => point % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => stream.subarray(from, places[i] ?? stream.length));
}

/** One frame; also a wrong one, which `ws` would not build. */
function frame(first: number, payload: Buffer, masked = false): Buffer {
  const mask = masked ? 0x80 : 0;
  const { length } = payload;
  const [code, bytes] = length < 126 ? [length, 0] : length < 65_536 ? [126, 2] : [127, 8];
  const header = Buffer.from([first, mask | code, ...Buffer.alloc(bytes)]);
  if (bytes > 0) header.writeUIntBE(length, header.length - Math.min(bytes, 6), Math.min(bytes, 6));
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), payload]);
}

const anyPayload = fc
  .tuple(fc.oneof(fc.nat(130), fc.nat(300), fc.constantFrom(125, 126, 65535, 65536, 65537)), fc.nat(255))
  .map(([size, byte]) => Buffer.alloc(size, byte));
const anyControlPayload = fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes));
const anyPing = anyControlPayload.map((payload) => frame(0x89, payload));
const anyPong = anyControlPayload.map((payload) => frame(0x8a, payload));
const anyControl = fc.oneof(anyPing, anyPong);
const anyWhole = fc
  .tuple(fc.constantFrom(0x81, 0x82), anyPayload)
  .map(([first, payload]) => frame(first, payload));
const anyBytes = fc.uint8Array({ maxLength: 200 });
/** A message in fragments with control frames between them, as RFC 6455, section 5.4 allows. */
const anyFragmented = fc
  .tuple(
    fc.constantFrom(0x01, 0x02),
    fc.array(fc.tuple(anyBytes, fc.option(anyControl)), { minLength: 2, maxLength: 5 }),
  )
  .map(([code, parts]) =>
    Buffer.concat(
      parts.flatMap(([bytes, control], i) => {
        const first = (i === 0 ? code : 0x00) | (i === parts.length - 1 ? 0x80 : 0);
        return [frame(first, Buffer.from(bytes)), ...(control && i < parts.length - 1 ? [control] : [])];
      }),
    ),
  );
const anyClose = fc.oneof(
  fc.constant(frame(0x88, Buffer.alloc(0))),
  fc.constantFrom(1000, 1001, 1013, 4008).map((code) => {
    const payload = Buffer.from('xxgoing, going');
    payload.writeUInt16BE(code);
    return frame(0x88, payload);
  }),
);
const anyStream = fc
  .tuple(fc.array(fc.oneof(anyWhole, anyControl, anyFragmented), { maxLength: 8 }), fc.option(anyClose))
  .map(([frames, close]) => Buffer.concat([...frames, ...(close ? [close] : [])]));

/** Checks that the scanner reads any such stream, cut anywhere, as `ws` does. */
async function readsAsWs(anyOf: fc.Arbitrary<Buffer>, numRuns: number, isRight = (_seen: Seen) => true) {
  await fc.assert(
    fc.asyncProperty(anyOf, fc.array(fc.nat(), { maxLength: 30 }), async (stream, points) => {
      const seen = scan(cut(stream, points));
      assert.ok(isRight(seen));
      assert.deepEqual(seen, await scanWithWs(stream));
    }),
    { numRuns },
  );
}

test('reads the same as ws, wherever the stream is cut', () => readsAsWs(anyStream, 400));

test('reads the same whether the stream is cut nowhere, at any one byte, or at every byte', async () => {
  const text = (size: number) => frame(0x81, Buffer.alloc(size, 'x'));
  const ping = frame(0x89, Buffer.from('hello'));
  const fragments = [frame(0x01, Buffer.from('first ')), frame(0x80, Buffer.from('second'))] as const;
  const pong = frame(0x8a, Buffer.alloc(0));
  const close = frame(0x88, Buffer.from([0x03, 0xe8]));
  const frames = [text(0), text(125), ping, text(126), fragments[0], pong, fragments[1], text(300), close];
  const stream = Buffer.concat(frames);
  const whole = scan([stream]);
  assert.equal(whole.messages.length, 5);
  assert.deepEqual(whole, await scanWithWs(stream));
  for (let at = 0; at <= stream.length; at++)
    assert.deepEqual(scan([stream.subarray(0, at), stream.subarray(at)]), whole);
  assert.deepEqual(scan([...stream].map((byte) => Buffer.from([byte]))), whole);
});

test('a broken frame is a fault, as with ws, after all whole messages before it', async () => {
  const anyBroken = fc.constantFrom(
    frame(0xc1, Buffer.from('reserved bit')),
    frame(0x83, Buffer.from('reserved opcode')),
    frame(0x8b, Buffer.from('reserved control opcode')),
    frame(0x81, Buffer.from('masked'), true),
    frame(0x09, Buffer.from('fragmented ping')),
    frame(0x89, Buffer.alloc(126)),
    frame(0x80, Buffer.from('continues nothing')),
    Buffer.concat([frame(0x01, Buffer.from('begins')), frame(0x81, Buffer.from('begins again'))]),
    frame(0x88, Buffer.from([3])),
    frame(0x88, Buffer.from([0, 1])),
    frame(0x81, Buffer.alloc(messageBytesMax + 1)),
    Buffer.concat([frame(0x01, Buffer.alloc(60_000)), frame(0x80, Buffer.alloc(10_001))]),
    Buffer.from([0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  );
  const anyFrames = fc.array(fc.oneof(anyWhole, anyPing));
  const anyEnding = fc
    .tuple(anyFrames, anyBroken)
    .map(([frames, broken]) => Buffer.concat([...frames, broken]));
  await readsAsWs(anyEnding, 300, (seen) => seen.failed);
});

test('random bytes neither crash nor hang, and give the same as ws', () =>
  readsAsWs(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    3000,
  ));

test('a stream with one changed byte gives the same as ws', async () => {
  const anyChanged = fc.tuple(anyStream, fc.nat(), fc.nat(255)).map(([original, where, byte]) => {
    const stream = Buffer.from(original);
    if (stream.length > 0) stream[where % stream.length] = byte;
    return stream;
  });
  await readsAsWs(anyChanged, 1000);
});

test('as many fragments as are allowed are read, and one more is a fault, as with ws', async () => {
  for (const more of [-1, 0, 1]) {
    const between = Array(fragmentsMax - 2 + more).fill(frame(0x00, Buffer.from('.')));
    const ends = [frame(0x01, Buffer.from('<')), frame(0x80, Buffer.from('>'))] as const;
    const stream = Buffer.concat([ends[0], ...between, ends[1]]);
    const seen = scan([stream]);
    assert.equal(seen.failed, more > 0);
    assert.deepEqual(seen, await scanWithWs(stream));
  }
});

test('a message in fragments without end is a fault, and control frames between them do not hide it', () => {
  const tiny = Buffer.concat([frame(0x00, Buffer.alloc(0)), frame(0x89, Buffer.alloc(0))]);
  const endless = Buffer.concat([frame(0x01, Buffer.from('a')), ...Array(5000).fill(tiny)]);
  const seen = scan([endless]);
  assert.equal(seen.failed, true);
  assert.equal(seen.pings.length, 4095);
  const pieces = Array.from({ length: 4094 }, (_, i) => frame(0x00, Buffer.from([97 + (i % 26)])));
  const long = Buffer.concat([frame(0x01, Buffer.from('<')), ...pieces, frame(0x80, Buffer.from('>'))]);
  const whole = scan([long]).messages[0]!;
  assert.equal(whole.text.length, 4096);
  assert.match(whole.text, /^<abcd[a-z]+>$/);
});

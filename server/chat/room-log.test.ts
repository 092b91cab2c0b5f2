import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { RoomLog, type Segment } from './room-log.ts';

/** Exported by ws, unknown to its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** All bytes of a log from its first segment on. */
function bytesOf(first: Segment): Buffer {
  const parts: Buffer[] = [];
  for (let segment: Segment | undefined = first; segment; segment = segment.next) {
    parts.push(segment.bytes.subarray(0, segment.end));
  }
  return Buffer.concat(parts);
}

test('a WebSocket receiver reads all appended texts in order, for any segment size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 64, max: 5000 }),
      async (texts, segmentBytesMax) => {
        const log = new RoomLog(segmentBytesMax);
        const first = log.tail;
        for (const text of texts) log.append(Buffer.from(text));
        const heard: string[] = [];
        const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true });
        receiver.on('message', (data: Buffer) => heard.push(data.toString()));
        await new Promise<void>((resolve) => receiver.end(bytesOf(first), resolve));
        assert.deepEqual(heard, texts);
        assert.equal(log.frames, texts.length);
      },
    ),
  );
});

test('a frame larger than a segment gets a segment of its own size, with each length form of the header', () => {
  const log = new RoomLog(4096);
  for (const payloadBytes of [125, 126, 65_535, 65_536]) {
    log.append(Buffer.alloc(payloadBytes, 'x'));
    const headerBytes = payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
    assert.ok(log.tail.end >= payloadBytes + headerBytes);
  }
  assert.equal(log.tail.end, 65_536 + 10);
});

test('a quiet room holds 4 KiB; segments double up to the maximum', () => {
  const log = new RoomLog(16_384);
  const capacities = [log.tail.bytes.length];
  for (let i = 0; i < 2000; i++) {
    const before = log.tail;
    log.append(Buffer.alloc(100, 'x'));
    if (log.tail !== before) capacities.push(log.tail.bytes.length);
  }
  assert.deepEqual(capacities.slice(0, 4), [4096, 8192, 16_384, 16_384]);
  assert.equal(Math.max(...capacities), 16_384);
});

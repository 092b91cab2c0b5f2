import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { LogMemory } from './log-memory.ts';
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
        const log = new RoomLog(new LogMemory(segmentBytesMax));
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
  const log = new RoomLog(new LogMemory(4096));
  for (const payloadBytes of [125, 126, 65_535, 65_536]) {
    log.append(Buffer.alloc(payloadBytes, 'x'));
    const headerBytes = payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
    assert.ok(log.tail.end >= payloadBytes + headerBytes);
  }
  assert.equal(log.tail.end, 65_536 + 10);
});

test('a quiet room holds 4 KiB; segments double up to the maximum', () => {
  const log = new RoomLog(new LogMemory(16_384));
  const capacities = [log.tail.bytes.length];
  for (let i = 0; i < 2000; i++) {
    const before = log.tail;
    log.append(Buffer.alloc(100, 'x'));
    if (log.tail !== before) capacities.push(log.tail.bytes.length);
  }
  assert.deepEqual(capacities.slice(0, 4), [4096, 8192, 16_384, 16_384]);
  assert.equal(Math.max(...capacities), 16_384);
});

test('bytes count from the oldest segment that somebody waits in, in whatever order they wait and end', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ act: fc.nat(2), at: fc.nat() }), { maxLength: 80 }), (steps) => {
      const memory = new LogMemory(200);
      const [other, log] = [new RoomLog(memory), new RoomLog(memory)];
      const segments = [log.tail];
      const waiting: Segment[] = [];
      for (const { act, at } of steps) {
        if (act === 0) log.append(Buffer.alloc(150));
        else if (act === 1) log.hold(waiting[waiting.push(segments[at % segments.length]!) - 1]!);
        else if (waiting.length > 0) log.letGo(waiting.splice(at % waiting.length, 1)[0]!);
        if (log.tail !== segments.at(-1)) segments.push(log.tail);
        const oldest = Math.min(log.tail.index, ...waiting.map(({ index }) => index));
        const expected = segments.slice(oldest).reduce((sum, { bytes }) => sum + bytes.length, 0);
        assert.equal(log.bytes, expected);
        assert.equal(memory.liveBytes, expected + other.bytes);
      }
      log.close();
      log.hold(segments[0]!);
      assert.deepEqual([memory.liveBytes, memory.rooms], [other.bytes, 1]);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BatchError,
  type BatchHeader,
  BatchQueue,
  batchHeaderBytes,
  readBatchHeader,
  visitBatch,
} from './batch.ts';
import { BatchReader, withLength } from './batch-reader.ts';

type Entry = [room: string, text: string];

const header: BatchHeader = {
  kind: 'messages',
  publisher: '0123456789abcdef',
  sequence: 2 ** 47 + 1,
  publishedAtMs: 1_795_207_250_516.25,
};
const entries = fc.array(
  fc.tuple(fc.stringMatching(/^[A-Za-z0-9_.-]{0,64}$/), fc.string({ unit: 'binary' })),
);

function queueOf(said: readonly Entry[]): BatchQueue {
  const queue = new BatchQueue();
  for (const [room, text] of said) queue.push(room, Buffer.from(text));
  return queue;
}

function entriesOf(batch: Buffer): Entry[] {
  const heard: Entry[] = [];
  const messages = visitBatch(batch, (room, payload) => heard.push([room, payload.toString()]));
  assert.equal(messages, heard.length);
  return heard;
}

test('header and messages come out of a batch as they went in, in order', () => {
  fc.assert(
    fc.property(entries, (said) => {
      const batch = queueOf(said).take(header, Number.POSITIVE_INFINITY);
      assert.deepEqual(readBatchHeader(batch), header);
      const expected = said.map(([room, text]) => [room, Buffer.from(text).toString()]);
      assert.deepEqual(entriesOf(batch), expected);
    }),
  );
});

test('a queue is emptied in batches within the bound, or of one message, and counts its bytes', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: batchHeaderBytes, max: 400 }), (said, bytesMax) => {
      const queue = queueOf(said);
      let bytes = 0;
      const heard: Entry[] = [];
      while (queue.messages > 0) {
        const before = queue.bytes;
        const batch = queue.take(header, bytesMax);
        assert.ok(batch.length <= bytesMax || entriesOf(batch).length === 1);
        assert.equal(before - queue.bytes, batch.length - batchHeaderBytes);
        bytes += batch.length - batchHeaderBytes;
        heard.push(...entriesOf(batch));
      }
      assert.equal(queue.bytes, 0);
      assert.equal(heard.length, said.length);
      assert.equal(bytes, queueOf(said).bytes);
    }),
  );
});

test('a batch cut short, of another version or of no kind is a BatchError', () => {
  const whole = queueOf([['tea', 'hello']]).take(header, 1000);
  for (let length = 0; length < whole.length; length++) {
    if (length === batchHeaderBytes) continue; // A heartbeat: whole without any message.
    const cut = whole.subarray(0, length);
    const read = () => [readBatchHeader(cut), visitBatch(cut, () => undefined)];
    assert.throws(read, BatchError, `${length} bytes`);
  }
  for (const start of ['0200', '0109']) {
    // Version 1 and kind 0 are known.
    const other = Buffer.concat([Buffer.from(start, 'hex'), whole.subarray(2)]);
    assert.throws(() => readBatchHeader(other), BatchError);
  }
});

test('a stream gives the same batches, however it is cut into chunks', () => {
  const chunking = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 6 }), chunking, (batchesSaid, chunkBytes) => {
      const batches = batchesSaid.map((said) => queueOf(said).take(header, Number.POSITIVE_INFINITY));
      const stream = Buffer.concat(batches.map(withLength));
      const reader = new BatchReader(1_000_000);
      const heard: Buffer[] = [];
      for (let offset = 0, turn = 0; offset < stream.length; turn++) {
        const end = offset + chunkBytes[turn % chunkBytes.length]!;
        reader.read(stream.subarray(offset, end), (batch) => heard.push(batch));
        offset = end;
      }
      assert.deepEqual(heard, batches);
    }),
  );
});

test('a batch that announces more than the bound is refused at once', () => {
  const reader = new BatchReader(100);
  assert.throws(() => reader.read(withLength(Buffer.alloc(101)), () => undefined), BatchError);
});

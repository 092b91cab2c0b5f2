import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  EnvelopeError,
  type EnvelopeHeader,
  EnvelopeQueue,
  envelopeHeaderBytes,
  readEnvelopeHeader,
  visitEnvelope,
} from './batch.ts';
import { EnvelopeReader, withLength } from './batch-reader.ts';

type Entry = [room: string, text: string];

const header: EnvelopeHeader = {
  kind: 'messages',
  publisher: '0123456789abcdef',
  sequence: 2 ** 47 + 1,
  publishedAtMs: 1_795_207_250_516.25,
};
const entries = fc.array(
  fc.tuple(fc.stringMatching(/^[A-Za-z0-9_.-]{0,64}$/), fc.string({ unit: 'binary' })),
);

function queueOf(said: readonly Entry[]): EnvelopeQueue {
  const queue = new EnvelopeQueue();
  for (const [room, text] of said) queue.push(room, Buffer.from(text));
  return queue;
}

function entriesOf(envelope: Buffer): Entry[] {
  const heard: Entry[] = [];
  visitEnvelope(envelope, (room, payload) => heard.push([room, payload.toString()]));
  return heard;
}

test('what goes into an envelope comes out of it, header and messages, in order', () => {
  fc.assert(
    fc.property(entries, (said) => {
      const envelope = queueOf(said).take(header, Number.POSITIVE_INFINITY);
      assert.deepEqual(readEnvelopeHeader(envelope), header);
      assert.deepEqual(
        entriesOf(envelope),
        said.map(([room, text]) => [room, Buffer.from(text).toString()]),
      );
    }),
  );
});

test('a queue is emptied in envelopes within the bound, or of one message, and counts its bytes', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: envelopeHeaderBytes, max: 400 }), (said, bytesMax) => {
      const queue = queueOf(said);
      let bytes = 0;
      const heard: Entry[] = [];
      while (queue.messages > 0) {
        const before = queue.bytes;
        const envelope = queue.take(header, bytesMax);
        assert.ok(envelope.length <= bytesMax || entriesOf(envelope).length === 1);
        assert.equal(before - queue.bytes, envelope.length - envelopeHeaderBytes);
        bytes += envelope.length - envelopeHeaderBytes;
        heard.push(...entriesOf(envelope));
      }
      assert.equal(queue.bytes, 0);
      assert.equal(heard.length, said.length);
      assert.equal(bytes, queueOf(said).bytes);
    }),
  );
});

test('an envelope cut short, of another version or of no kind is an EnvelopeError and nothing worse', () => {
  const whole = queueOf([['tea', 'hello']]).take(header, 1000);
  for (let length = 0; length < whole.length; length++) {
    if (length === envelopeHeaderBytes) continue; // A heartbeat: whole without any message.
    const cut = whole.subarray(0, length);
    const read = () => [readEnvelopeHeader(cut), visitEnvelope(cut, () => undefined)];
    assert.throws(read, EnvelopeError, `${length} bytes`);
  }
  for (const [offset, value] of [
    [0, 2],
    [1, 9],
  ] as const) {
    const other = Buffer.from(whole);
    other[offset] = value;
    assert.throws(() => readEnvelopeHeader(other), EnvelopeError);
  }
});

test('envelopes in a stream are found however it is cut into chunks', () => {
  const chunking = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 6 }), chunking, (envelopesSaid, chunkBytes) => {
      const envelopes = envelopesSaid.map((said) => queueOf(said).take(header, Number.POSITIVE_INFINITY));
      const stream = Buffer.concat(envelopes.map(withLength));
      const reader = new EnvelopeReader(1_000_000);
      const heard: string[] = [];
      for (let offset = 0, turn = 0; offset < stream.length; turn++) {
        const end = offset + chunkBytes[turn % chunkBytes.length]!;
        reader.read(stream.subarray(offset, end), (envelope) => heard.push(envelope.toString('hex')));
        offset = end;
      }
      assert.deepEqual(
        heard,
        envelopes.map((envelope) => envelope.toString('hex')),
      );
    }),
  );
});

test('a stream that announces more than the bound is refused before it is awaited', () => {
  const reader = new EnvelopeReader(100);
  assert.throws(() => reader.read(withLength(Buffer.alloc(101)), () => undefined), EnvelopeError);
});

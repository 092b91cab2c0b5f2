import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, encodeMessage, framePayloadBytesMax, isDecodeFault, utf8Bytes } from './message.ts';

const limits = { clientIdCharsMax: 8, messageBytesMax: 32 };
/** Any UTF-16 units, lone surrogates and control characters among them. */
const anyText = (constraints: { minLength?: number; maxLength?: number } = {}) =>
  fc
    .array(
      fc.oneof(
        fc.integer({ min: 0, max: 0x9f }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0xd800, max: 0xdfff }),
      ),
      constraints,
    )
    .map((units) => String.fromCharCode(...units));
const clientId = anyText({ minLength: 1, maxLength: 8 });
const Message = anyText({ maxLength: 40 }).filter(
  (text) => Buffer.byteLength(text) <= limits.messageBytesMax,
);

test('a message within the limits is the same after encoding, UTF-8 and decoding', () => {
  fc.assert(
    fc.property(fc.record({ clientId, Message }, { noNullPrototype: true }), (message) => {
      const payload = Buffer.from(encodeMessage(message));
      assert.ok(payload.length <= framePayloadBytesMax(limits), 'the frame fits the limits');
      assert.deepEqual(decodeMessage(payload.toString(), limits), message);
    }),
  );
});

test('decoding never throws, and accepts exactly the texts that the limits allow', () => {
  const field = fc.oneof(anyText({ maxLength: 40 }), fc.jsonValue());
  const json = fc.oneof(fc.jsonValue(), fc.record({ clientId: field, Message: field }, { requiredKeys: [] }));
  const text = fc.oneof(
    anyText(),
    json.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, (given) => {
      const outcome = decodeMessage(given, limits);
      assert.equal(isDecodeFault(outcome) ? outcome.fault : 'accepted', expectedOf(given));
    }),
    { numRuns: 1_000 },
  );
});

/** The rules of the wire, written a second time and without regard to speed. */
function expectedOf(text: string): 'accepted' | 'malformed' | 'too-large' {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'malformed';
  }
  const fields = Object.assign({}, value) as Record<string, unknown>;
  const id = Object.hasOwn(fields, 'clientId') ? fields.clientId : undefined;
  if (typeof id !== 'string' || typeof fields.Message !== 'string') return 'malformed';
  if (id.length === 0 || id.length > limits.clientIdCharsMax) return 'malformed';
  return new TextEncoder().encode(fields.Message).length <= limits.messageBytesMax ? 'accepted' : 'too-large';
}

test('fields other than the two are dropped, whatever their names are', () => {
  const others = fc.dictionary(fc.oneof(fc.constant('__proto__'), fc.string()), fc.jsonValue());
  fc.assert(
    fc.property(others, clientId, Message, (rest, id, said) => {
      const decoded = decodeMessage(JSON.stringify({ ...rest, clientId: id, Message: said }), limits);
      assert.ok(!isDecodeFault(decoded));
      assert.deepEqual(Object.entries(JSON.parse(encodeMessage(decoded))), [
        ['clientId', id],
        ['Message', said],
      ]);
    }),
  );
});

test('the bytes of UTF-8 are counted as Buffer counts them', () => {
  fc.assert(
    fc.property(fc.oneof(anyText({ maxLength: 40 }), fc.string({ unit: 'binary' })), (text) => {
      assert.equal(utf8Bytes(text), Buffer.byteLength(text));
    }),
    { numRuns: 1_000 },
  );
});

test('the limit of a Message is exact to one byte of UTF-8', () => {
  for (const [text, fault] of [
    ['x'.repeat(32), undefined],
    ['x'.repeat(33), 'too-large'],
    ['é'.repeat(16), undefined],
    [`${'é'.repeat(16)}x`, 'too-large'],
    ['👋'.repeat(8), undefined],
    [`${'👋'.repeat(8)}x`, 'too-large'],
  ] as const) {
    const outcome = decodeMessage(encodeMessage({ clientId: 'a', Message: text }), limits);
    assert.equal(isDecodeFault(outcome) ? outcome.fault : undefined, fault, text);
  }
});

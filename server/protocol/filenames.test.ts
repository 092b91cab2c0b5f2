import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeFilenames,
  encodeFilenamesAck,
  type FilenamesAck,
  imageTypes,
  parseFilenames,
  parseFilenamesAck,
} from './filenames.ts';

const request = fc.record(
  {
    count: fc.integer({ min: 1, max: 8 }),
    contentType: fc.constantFrom(...imageTypes, 'text/html'),
    bytes: fc.integer({ min: 1 }),
  },
  { noNullPrototype: true },
);

test('a request for filenames is the same after encoding and parsing', () => {
  fc.assert(
    fc.property(request, (given) =>
      assert.deepEqual(parseFilenames(JSON.parse(encodeFilenames(given))), given),
    ),
  );
});

test('a request that breaks a rule is a fault that says which', () => {
  const good = { count: 1, contentType: 'image/png', bytes: 10 };
  for (const [field, values] of [
    ['count', [0, 9, 1.5, '1', undefined, null, -1]],
    ['contentType', ['', 'image/png\r\n', 'x'.repeat(65), 7, undefined]],
    ['bytes', [0, -1, 1.5, '9', Number.NaN, 2 ** 60, undefined]],
  ] as const) {
    for (const value of values) {
      const outcome = parseFilenames({ ...good, [field]: value });
      assert.ok('fault' in outcome && outcome.detail.startsWith(field), `${field} ${value}`);
    }
  }
});

test('reading any object neither throws nor accepts what the limits forbid', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('count', 'contentType', 'bytes'), fc.anything()), (frame) => {
      const outcome = parseFilenames(frame);
      if ('fault' in outcome) return;
      assert.ok(outcome.count >= 1 && outcome.count <= 8 && Number.isSafeInteger(outcome.bytes));
    }),
  );
});

test('an answer is the same after encoding and parsing; other frames are none', () => {
  const uploads = [{ upload: 'http://a/ab/cd/x?sig=1', image: 'http://a/ab/cd/x' }];
  const acks: FilenamesAck[] = [
    { result: 'ok', uploads, expiresAtMs: 1 },
    { result: 'too_large', detail: 'no', bytesMax: 5 },
    { result: 'closed', detail: 'none' },
  ];
  for (const ack of acks) assert.deepEqual(parseFilenamesAck(encodeFilenamesAck(ack)), ack);
  const text = (fields: object) => JSON.stringify({ type: 'filenames_ack', ...fields });
  for (const none of ['', '7', '{}', '{"type":"joined","result":"ok"}', '{"type":"filenames_ack"', text({})])
    assert.equal(parseFilenamesAck(none), undefined, none);
  for (const uploads of [undefined, {}, [{}], ['x'], [null]])
    assert.equal(parseFilenamesAck(text({ result: 'ok', uploads, expiresAtMs: 1 })), undefined);
});

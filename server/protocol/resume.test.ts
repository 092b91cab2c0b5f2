import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeJoined, encodePosition, parseJoined, parsePosition } from './resume.ts';

const epochCharacters = [...'ABCXYZabcxyz0189_-'];
const epoch = fc.string({ unit: fc.constantFrom(...epochCharacters), minLength: 1, maxLength: 64 });
const position = fc.record({ epoch, offset: fc.maxSafeNat() }, { noNullPrototype: true });

test('a position is the same after encoding and parsing', () => {
  fc.assert(fc.property(position, (given) => assert.deepEqual(parsePosition(encodePosition(given)), given)));
});

test('a text that is no position is not read as one', () => {
  const texts = ['', '.', 'a', 'a.', '.1', 'a.-1', 'a.01', 'a.1.2', 'a b.1', 'a.1e3', 'a.99999999999999999'];
  for (const text of [...texts, 'a.9007199254740993', `${'a'.repeat(65)}.1`, ' a.1', 'a.1\n'])
    assert.equal(parsePosition(text), undefined, JSON.stringify(text));
});

test('a joined frame is the same after encoding and parsing; a chat message is none', () => {
  const joined = fc.tuple(position, fc.boolean(), fc.constantFrom('', 'tea'));
  fc.assert(
    fc.property(joined, ([at, recovered, room]) => {
      assert.deepEqual(parseJoined(encodeJoined({ ...at, recovered, room })), { ...at, recovered, room });
    }),
  );
  for (const text of ['', '{"clientId":"a","Message":"b"}', '{"type":"joined"}', '{"type":"joined"', '7'])
    assert.equal(parseJoined(text), undefined, text);
});

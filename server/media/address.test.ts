import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { imageTypes } from '#protocol';
import { newImagePath, readSignedTarget, signedTarget, typeOfPath } from './address.ts';

const grant = fc.record(
  {
    path: fc.constantFrom(...imageTypes).map(newImagePath),
    bytesMax: fc.integer({ min: 1, max: 2 ** 40 }),
    expiresAtMs: fc.integer({ min: 1, max: 2 ** 50 }),
    user: fc.stringMatching(/^[a-z0-9_-]{1,32}$/),
  },
  { noNullPrototype: true },
);
const signed = grant.map((given) => ({ ...given, type: typeOfPath(given.path)! }));
const keyText = fc.stringMatching(/^[A-Za-z0-9]{32,64}$/);

test('a signed address is read as it was granted, with any of the keys', () => {
  fc.assert(
    fc.property(signed, keyText, keyText, (given, key, other) => {
      const target = signedTarget(given, key);
      assert.deepEqual(readSignedTarget(target, [key]), given);
      assert.deepEqual(readSignedTarget(target, [other, key]), given);
      if (other !== key) assert.equal(readSignedTarget(target, [other]), 'forged');
      assert.equal(readSignedTarget(target, []), 'forged');
    }),
  );
});

test('the signature is the HMAC over the lines that the documentation states', () => {
  const path = `/ab/cd/abcd${'0'.repeat(28)}.png`;
  const lines = ['chat-media-1', 'PUT', path, '1000', 'image/png', '1700000000000', 'ann'];
  const signature = createHmac('sha256', 'key').update(lines.join('\n')).digest('base64url');
  const given = {
    path,
    type: 'image/png',
    bytesMax: 1000,
    expiresAtMs: 1_700_000_000_000,
    user: 'ann',
  } as const;
  const query = `bytes=1000&expires=1700000000000&user=ann&signature=${signature}`;
  assert.equal(signedTarget(given, 'key'), `${path}?${query}`);
});

test('an address of which one character was changed is none', () => {
  fc.assert(
    fc.property(signed, fc.nat(), fc.constantFrom(...'0aZ/.&=?%-_'), (given, at, character) => {
      const target = signedTarget(given, 'k'.repeat(32));
      const index = at % (target.length - 1); // The last character of base64url has bits that mean nothing.
      const changed = target.slice(0, index) + character + target.slice(index + 1);
      const outcome = readSignedTarget(changed, ['k'.repeat(32)]);
      if (changed === target) assert.deepEqual(outcome, given);
      else assert.equal(typeof outcome, 'string', changed);
    }),
    { numRuns: 2_000 },
  );
});

test('reading any text never throws, and grants nothing', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webPath(),
    fc.webUrl({ withQueryParameters: true }),
  );
  fc.assert(
    fc.property(text, (given) => {
      assert.equal(typeof readSignedTarget(given, ['key']), 'string');
      assert.equal(typeOfPath(given), undefined);
    }),
    { numRuns: 1_000 },
  );
});

test('names are random, lie in the directories of their prefix, and end as their type', () => {
  const paths = new Set(Array.from({ length: 1_000 }, () => newImagePath('image/webp')));
  assert.equal(paths.size, 1_000);
  for (const path of paths) {
    assert.match(path, /^\/(..)\/(..)\/\1\2[0-9a-f]{28}\.webp$/);
    assert.equal(typeOfPath(path), 'image/webp');
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, defaultMessageLimits, encodeMessage, isDecodeFault } from '#protocol';
import { payloadBytesMin } from '../workload.ts';
import { MessageForm, readToken, type Token, tokenAt, tokenChars, writeToken } from './stamp.ts';

const anyToken = fc.record<Token>({
  runId: fc.integer({ min: 0, max: 2 ** 18 - 1 }),
  room: fc.integer({ min: 0, max: 2 ** 18 - 1 }),
  number: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
  dueUs: fc.integer({ min: 0, max: 2 ** 36 - 1 }),
  lagUs: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
});
const anyUser = fc.integer({ min: 0, max: 999_999 });
const anySize = fc.integer({ min: payloadBytesMin, max: 700 });

function newToken(): Token {
  return { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
}

test('a token reads back as it was written', () => {
  fc.assert(
    fc.property(anyToken, (token) => {
      const bytes = Buffer.alloc(tokenChars);
      const read = newToken();
      writeToken(bytes, 0, token);
      assert.ok(readToken(bytes, 0, read));
      assert.deepEqual(read, { ...token });
    }),
  );
});

test('a message is canonical JSON of the protocol, of exactly the size asked for', () => {
  fc.assert(
    fc.property(anyToken, anyUser, anySize, (token, user, size) => {
      const form = new MessageForm(size);
      const bytes = Buffer.alloc(size);
      form.write(bytes, 0, user, token);
      const message = decodeMessage(bytes.toString(), defaultMessageLimits);
      assert.ok(!isDecodeFault(message));
      assert.equal(encodeMessage(message), bytes.toString());
      assert.ok(form.isIntact(bytes, 0, size, user, token));
      assert.ok(form.isSame(message.clientId, message.Message, user, token));
    }),
  );
});

test('no single changed byte passes for the message that was sent', () => {
  fc.assert(
    fc.property(
      anyToken,
      anyUser,
      anySize,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (token, user, size, where, change) => {
        const form = new MessageForm(size);
        const bytes = Buffer.alloc(size);
        form.write(bytes, 0, user, token);
        bytes[where % size]! ^= change;
        const read = newToken();
        assert.ok(!readToken(bytes, tokenAt, read) || !form.isIntact(bytes, 0, size, user, read));
      },
    ),
    { numRuns: 2000 },
  );
});

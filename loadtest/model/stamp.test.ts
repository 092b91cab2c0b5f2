import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, defaultMessageLimits, encodeMessage, isDecodeFault } from '#protocol';
import { payloadBytesMin } from '../workload.ts';
import { MessageFormat, readStamp, type Stamp, stampAt, stampChars, writeStamp } from './stamp.ts';

const anyStamp = fc.record<Stamp>({
  runId: fc.integer({ min: 0, max: 2 ** 18 - 1 }),
  room: fc.integer({ min: 0, max: 2 ** 18 - 1 }),
  number: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
  dueUs: fc.integer({ min: 0, max: 2 ** 36 - 1 }),
  lagUs: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
});
const anyUser = fc.integer({ min: 0, max: 999_999 });
const anySize = fc.integer({ min: payloadBytesMin, max: 700 });

function newStamp(): Stamp {
  return { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
}

test('a stamp reads back as it was written', () => {
  fc.assert(
    fc.property(anyStamp, (stamp) => {
      const bytes = Buffer.alloc(stampChars);
      const read = newStamp();
      writeStamp(bytes, 0, stamp);
      assert.ok(readStamp(bytes, 0, read));
      assert.deepEqual(read, { ...stamp });
    }),
  );
});

test('a message is canonical JSON of the protocol, of exactly the size asked for', () => {
  fc.assert(
    fc.property(anyStamp, anyUser, anySize, (stamp, user, size) => {
      const format = new MessageFormat(size);
      const bytes = Buffer.alloc(size);
      format.write(bytes, 0, user, stamp);
      const message = decodeMessage(bytes.toString(), defaultMessageLimits);
      assert.ok(!isDecodeFault(message));
      assert.equal(encodeMessage(message), bytes.toString());
      assert.ok(format.isIntact(bytes, 0, size, user, stamp));
      assert.ok(format.isSame(message.clientId, message.Message, user, stamp));
    }),
  );
});

test('no single changed byte passes for the message that was sent', () => {
  fc.assert(
    fc.property(
      anyStamp,
      anyUser,
      anySize,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (stamp, user, size, where, change) => {
        const format = new MessageFormat(size);
        const bytes = Buffer.alloc(size);
        format.write(bytes, 0, user, stamp);
        bytes[where % size]! ^= change;
        const read = newStamp();
        assert.ok(!readStamp(bytes, stampAt, read) || !format.isIntact(bytes, 0, size, user, read));
      },
    ),
    { numRuns: 2000 },
  );
});

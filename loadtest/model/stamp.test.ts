import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, defaultMessageLimits, encodeMessage, isDecodeFault } from '#protocol';
import { messageNumberMax, payloadBytesMin, roomsMax, usersMax } from '../workload.ts';
import { MessageFormat, readStamp, runIdMax, type Stamp, stampAt, stampChars, writeStamp } from './stamp.ts';

const anyStamp = fc.record<Stamp>({
  runId: fc.integer({ min: 0, max: runIdMax }),
  room: fc.integer({ min: 0, max: roomsMax - 1 }),
  number: fc.integer({ min: 0, max: messageNumberMax }),
  dueUs: fc.integer({ min: 0, max: 2 ** 36 - 1 }),
  lagUs: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
});
const anyUser = fc.integer({ min: 0, max: usersMax - 1 });
const anySize = fc.integer({ min: payloadBytesMin, max: 700 });

const newStamp = (): Stamp => ({ runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 });

test('a stamp reads back as it was written, up to the bounds of the workload', () => {
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

test('a message with one changed byte is never intact', () => {
  const anyChange = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) });
  fc.assert(
    fc.property(anyStamp, anyUser, anySize, anyChange, (stamp, user, size, { at, bits }) => {
      const format = new MessageFormat(size);
      const bytes = Buffer.alloc(size);
      format.write(bytes, 0, user, stamp);
      bytes[at % size]! ^= bits;
      const read = newStamp();
      assert.ok(!readStamp(bytes, stampAt, read) || !format.isIntact(bytes, 0, size, user, read));
    }),
    { numRuns: 2000 },
  );
});

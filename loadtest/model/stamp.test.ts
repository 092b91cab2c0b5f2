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

const seal = [0x12345678, 0x9abcdef0] as const;
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
      const format = new MessageFormat(size, seal);
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
      const format = new MessageFormat(size, seal);
      const bytes = Buffer.alloc(size);
      format.write(bytes, 0, user, stamp);
      bytes[at % size]! ^= bits;
      const read = newStamp();
      assert.ok(!readStamp(bytes, stampAt, read) || !format.isIntact(bytes, 0, size, user, read));
    }),
    { numRuns: 2000 },
  );
});

test('a stamp that was rewritten with a checksum that fits is not intact, whatever it says', () => {
  const size = 128;
  const format = new MessageFormat(size, seal);
  const sent = { runId: 2, room: 3, number: 9, dueUs: 5_000_000, lagUs: 20 };
  for (const change of [{ lagUs: 300_020 }, { dueUs: 5_300_000 }, { number: 10 }, { room: 4 }]) {
    const bytes = Buffer.alloc(size);
    format.write(bytes, 0, 7, sent);
    assert.ok(format.isIntact(bytes, 0, size, 7, sent));
    assert.ok(!new MessageFormat(size, [seal[0], 1]).isIntact(bytes, 0, size, 7, sent));
    const forged = { ...sent, ...change };
    writeStamp(bytes, stampAt, forged);
    assert.ok(readStamp(bytes, stampAt, newStamp()));
    assert.ok(!format.isIntact(bytes, 0, size, 7, forged), JSON.stringify(change));
  }
});

test('parts of two messages never make a third that is intact', () => {
  const anyNumber = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: messageNumberMax }));
  const anyPlace = fc.record({ runId: fc.constantFrom(2, 4), room: fc.nat(3), number: anyNumber });
  const size = 200;
  const format = new MessageFormat(size, seal);
  fc.assert(
    fc.property(anyPlace, anyPlace, fc.nat(size), fc.nat(size), (one, other, a, b) => {
      const [first, second] = [one, other].map((place) => {
        const bytes = Buffer.alloc(size);
        format.write(bytes, 0, 7, { ...place, dueUs: 5, lagUs: 1 });
        return bytes;
      }) as [Buffer, Buffer];
      const spliced = Buffer.from(first);
      second.copy(spliced, Math.min(a, b), Math.min(a, b), Math.max(a, b));
      const stamp = newStamp();
      const isIntact = readStamp(spliced, stampAt, stamp) && format.isIntact(spliced, 0, size, 7, stamp);
      assert.equal(isIntact, spliced.equals(first) || spliced.equals(second));
    }),
    { numRuns: 3000 },
  );
});

test('the fillers of successive messages differ from the first bytes on, also beyond the end of their source', () => {
  const size = payloadBytesMin + 2 ** 18 + 500;
  const format = new MessageFormat(size, seal);
  const fillers = Array.from({ length: 40 }, (_, number) => {
    const bytes = Buffer.alloc(size);
    format.write(bytes, 0, 7, { runId: 2, room: 0, number, dueUs: 0, lagUs: 0 });
    return bytes.toString('latin1', stampAt + stampChars, size - 2);
  });
  for (const filler of fillers) assert.match(filler, /^[-\w]+$/);
  assert.equal(new Set(fillers.map((filler) => filler.slice(0, 8))).size, 40);
});

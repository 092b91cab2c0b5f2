import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameHeaderBytes, writeTextFrameHeader } from './frame.ts';

test('a frame header holds the length of its payload in the shortest of the three forms', () => {
  const lengths = fc.oneof(
    fc.constantFrom(0, 125, 126, 127, 65_535, 65_536),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  );
  fc.assert(
    fc.property(lengths, fc.nat(5), (payloadBytes, offset) => {
      const target = Buffer.alloc(offset + 10);
      const payloadOffset = writeTextFrameHeader(target, offset, payloadBytes);
      assert.equal(payloadOffset, offset + frameHeaderBytes(payloadBytes));
      assert.equal(target[offset], 0x81, 'final, text');
      // RFC 6455, section 5.2: seven bits, or 126 and 16 bits, or 127 and 64 bits; a server does not mask.
      const short = target[offset + 1]!;
      const length =
        short < 126
          ? short
          : short === 126
            ? target.readUInt16BE(offset + 2)
            : Number(target.readBigUInt64BE(offset + 2));
      assert.equal(length, payloadBytes);
      assert.equal(short, payloadBytes < 126 ? payloadBytes : payloadBytes < 65_536 ? 126 : 127);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameHeaderBytes, writeTextFrameHeader } from '../chat/frame.ts';
import { closeCode, describeCloseCode, encodeReconnectReason, parseReconnectWaitMs } from './close-code.ts';
import { globalRoom, isRoomName, pathOfRoom, roomOfPath } from './room.ts';

test('a frame header says the length of its payload in the shortest of the three forms', () => {
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
      const read =
        short < 126
          ? short
          : short === 126
            ? target.readUInt16BE(offset + 2)
            : Number(target.readBigUInt64BE(offset + 2));
      assert.equal(read, payloadBytes);
      assert.equal(short, payloadBytes < 126 ? payloadBytes : payloadBytes < 65_536 ? 126 : 127);
    }),
  );
});

test('a room and its path are one and the same, and a query is not part of either', () => {
  const room = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
  fc.assert(
    fc.property(fc.oneof(room, fc.constant(globalRoom)), fc.string(), (name, query) => {
      assert.equal(roomOfPath(pathOfRoom(name)), name);
      assert.equal(roomOfPath(`${pathOfRoom(name)}?${query}`), name);
    }),
  );
});

test('any other path leads nowhere', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (isRoomName(text)) return;
      assert.equal(roomOfPath(`/ws/${text.replaceAll('?', '/')}`), undefined);
    }),
  );
  for (const path of [
    '',
    '/',
    'ws',
    '/WS',
    '/wss',
    '/ws/',
    '/ws//',
    '/ws/a/',
    '/ws/%61',
    `/ws/${'a'.repeat(65)}`,
  ]) {
    assert.equal(roomOfPath(path), undefined, path);
  }
});

test('the wait that a close reason names is read as it was written, and no other text names one', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 600_000, noNaN: true }), (waitMs) => {
      const reason = encodeReconnectReason(waitMs);
      assert.equal(parseReconnectWaitMs(reason), Math.round(waitMs));
      assert.ok(Buffer.byteLength(reason) <= 123, 'a close frame holds no more (RFC 6455, section 5.5)');
    }),
  );
  for (const reason of ['', 'soon', 'reconnect after -1 ms', 'reconnect after 99999999 ms']) {
    assert.equal(parseReconnectWaitMs(reason), undefined, reason);
  }
});

test('every close code of the wire has words of its own', () => {
  const words = Object.values(closeCode).map(describeCloseCode);
  assert.equal(new Set(words).size, words.length);
  assert.ok(words.every((text) => !text.includes('does not define')));
  assert.match(describeCloseCode(4242), /4242/);
});

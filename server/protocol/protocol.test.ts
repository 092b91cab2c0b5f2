import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  closeCode,
  closeCodes,
  describeCloseCode,
  encodeReconnectReason,
  parseReconnectWaitMs,
} from './close-code.ts';
import { globalRoom, isRoomName, pathOfRoom, roomOfPath } from './room.ts';

test('the path of a room names that room, with or without a query', () => {
  const room = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
  fc.assert(
    fc.property(fc.oneof(room, fc.constant(globalRoom)), fc.string(), (name, query) => {
      assert.equal(roomOfPath(pathOfRoom(name)), name);
      assert.equal(roomOfPath(`${pathOfRoom(name)}?${query}`), name);
    }),
  );
});

test('any other path names no room', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (isRoomName(text)) return;
      assert.equal(roomOfPath(`/ws/${text.replaceAll('?', '/')}`), undefined);
    }),
  );
  const paths = '/ ws /WS /wss /ws/ /ws// /ws/a/ /ws/%61'.split(' ');
  for (const path of ['', ...paths, `/ws/${'a'.repeat(65)}`]) assert.equal(roomOfPath(path), undefined, path);
});

test('the wait in a close reason is read as it was written, and no other text holds one', () => {
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

test('every close code has its number and its meaning once', () => {
  const rows = [...closeCodes.values()];
  assert.deepEqual([...closeCodes.keys()], Object.values(closeCode));
  assert.equal(new Set(rows.map(({ meaning }) => meaning)).size, rows.length);
  for (const { code, meaning } of rows) assert.equal(describeCloseCode(code), meaning);
  assert.match(describeCloseCode(4242), /4242.*does not define/);
});

test('only a close that would be repeated asks the client to stay away', () => {
  const final = [...closeCodes.values()].filter(({ reconnect }) => !reconnect).map(({ code }) => code);
  assert.deepEqual(final, [1000, 1002, 1003, 1007, 1008, 1009, 4013]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type DirectServerFrame,
  parseRead,
  parseReceived,
  parseSend,
  parseTyping,
  parseWatch,
  readDirectFrame,
} from './direct.ts';

const limits = { messageBytesMax: 8 };

test('a frame that keeps the rules is read with its fields and no others', () => {
  const send = { type: 'message', to: 'bob', id: 'a 1', Message: '12345678' } as const;
  assert.deepEqual(parseSend({ ...send, from: 'eve', seq: 1 }, limits), send);
  assert.deepEqual(parseReceived({ upTo: 0, x: 1 }), { type: 'received', upTo: 0 });
  assert.deepEqual(parseRead({ peer: 'a-_9', upTo: 3 }), { type: 'read', peer: 'a-_9', upTo: 3 });
  const typing = { type: 'presence', to: 'bob', state: 'typing' } as const;
  assert.deepEqual(parseTyping(typing), typing);
  assert.deepEqual(parseWatch({ users: ['a', 'b'] }), { type: 'watch', users: ['a', 'b'] });
});

test('a frame that breaks a rule is refused, with the reason', () => {
  const send = { to: 'bob', id: '1', Message: '' };
  for (const [change, fault] of [
    [{ to: 'Bob' }, 'malformed'],
    [{ to: 'x'.repeat(33) }, 'malformed'],
    [{ id: '' }, 'malformed'],
    [{ id: 'x'.repeat(65) }, 'malformed'],
    [{ id: 'a\nb' }, 'malformed'],
    [{ id: '\ud800' }, 'malformed'],
    [{ Message: 1 }, 'malformed'],
    [{ Message: '123456789' }, 'too-large'],
    [{ Message: '€€€' }, 'too-large'],
  ] as const) {
    const parsed = parseSend({ ...send, ...change }, limits);
    assert.equal('fault' in parsed && parsed.fault, fault, JSON.stringify(change));
  }
  const users = Array.from({ length: 101 }, (_, n) => `u${n}`);
  for (const parsed of [
    parseReceived({ upTo: -1 }),
    parseReceived({ upTo: 2 ** 53 }),
    parseReceived({ upTo: '1' }),
    parseRead({ upTo: 1 }),
    parseTyping({ to: 'bob', state: 'idle' }),
    parseWatch({ users }),
    parseWatch({ users: 'bob' }),
    parseWatch({ users: [1] }),
  ])
    assert.equal('fault' in parsed && parsed.fault, 'malformed');
});

test('nothing that comes in makes a reader throw', () => {
  const types = ['message', 'received', 'read', 'presence', 'server_ack', 'gap', 'watch'];
  const keys = ['to', 'id', 'Message', 'upTo', 'peer', 'state', 'users', 'from', 'seq', 'by', 'version'];
  const value = fc.oneof(fc.anything(), fc.string(), fc.nat());
  const frame = fc.tuple(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...keys), value));
  fc.assert(
    fc.property(frame, ([type, fields]) => {
      const all = { ...fields, type };
      for (const read of [parseReceived, parseRead, parseTyping, parseWatch, readDirectFrame]) read(all);
      parseSend(all, limits);
    }),
  );
});

test('a client reads every frame of the server, also with fields that it does not know', () => {
  const frames: DirectServerFrame[] = [
    { type: 'server_ack', id: '1', to: 'bob', result: 'ok', seq: 4 },
    { type: 'server_ack', id: '1', to: 'bob', result: 'full' },
    { type: 'message', from: 'alice', id: '1', seq: 4, Message: 'hi', sentAtMs: 1.5 },
    { type: 'gap', from: 1, to: 3 },
    { type: 'received', by: 'bob', upTo: 4, version: 9 },
    { type: 'read', by: 'bob', upTo: 4, version: 10 },
    { type: 'presence', from: 'bob', state: 'typing' },
    { type: 'presence', users: { bob: 'online', eve: 'away' } },
  ];
  for (const frame of frames) assert.deepEqual(readDirectFrame({ ...frame, news: 1 }), frame);
  const partly = { type: 'presence', users: { bob: 'online', eve: 'asleep' } };
  assert.deepEqual(readDirectFrame(partly), { type: 'presence', users: { bob: 'online' } });
  for (const broken of [{}, { type: 'message' }, { type: 'server_ack', id: '1', to: 'b', result: 'ok' }])
    assert.equal(readDirectFrame(broken), undefined);
});

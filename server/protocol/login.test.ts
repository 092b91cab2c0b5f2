import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeLogin,
  encodeLoginAck,
  isLoginToken,
  type LoginAck,
  parseCredentials,
  parseLogin,
  parseLoginAck,
} from './login.ts';

const good = { user: 'bob', password: 'correct horse', device: 'phone-1' };

test('a login is read as it was written', () => {
  for (const login of [good, { ...good, upTo: 7 }, { ...good, upTo: 0, receiptsAfter: 2 ** 40 }])
    assert.deepEqual(parseLogin(JSON.parse(encodeLogin(login))), login);
});

test('names and passwords at the bounds are taken, and those beyond them are a fault', () => {
  const takes = (change: Record<string, unknown>) => !('fault' in parseLogin({ ...good, ...change }));
  for (const user of ['a', 'z'.repeat(32), '0_-9']) assert.ok(takes({ user }), user);
  for (const user of ['', 'z'.repeat(33), 'Bob', 'b b', 'bób', '@bob', '__proto__\n', 7, null, ['bob'], {}])
    assert.ok(!takes({ user }), String(user));
  for (const device of ['a', 'Z'.repeat(32), '0_-.9']) assert.ok(takes({ device }), device);
  for (const device of ['', 'a'.repeat(33), 'a b', undefined, 1])
    assert.ok(!takes({ device }), String(device));
  for (const password of [
    '12345678',
    'x'.repeat(256),
    'ü'.repeat(4),
    'ü'.repeat(128),
    '\u{1f600}'.repeat(64),
  ])
    assert.ok(takes({ password }), password);
  for (const password of ['1234567', 'x'.repeat(257), 'ü'.repeat(129), 12345678, null, { length: 10 }])
    assert.ok(!takes({ password }), String(password));
  for (const upTo of [-1, 0.5, '1', null, 2 ** 60, Number.NaN]) assert.ok(!takes({ upTo }), String(upTo));
  for (const receiptsAfter of [-1, {}, []]) assert.ok(!takes({ receiptsAfter }), String(receiptsAfter));
});

test('a fault names what is wrong and never the password', () => {
  assert.deepEqual(parseCredentials({ user: 'Bob', password: 'correct horse' }), {
    fault: 'malformed',
    detail: 'user must be 1 to 32 of a-z0-9_-',
  });
  assert.deepEqual(parseCredentials({ user: 'bob', password: 'short' }), {
    fault: 'malformed',
    detail: 'password must be 8 to 256 bytes of UTF-8',
  });
});

test('an answer is read as it was written; other texts are no answer', () => {
  const token = 'A'.repeat(43);
  const answers: LoginAck[] = [
    { result: 'ok', user: 'bob', token, waiting: 3 },
    { result: 'ok', user: 'bob', waiting: 0 },
    { result: 'fail' },
    { result: 'busy', retryAfterMs: 900 },
  ];
  for (const answer of answers) assert.deepEqual(parseLoginAck(encodeLoginAck(answer)), answer);
  const others = [
    '',
    '{"type":"login_ack"',
    '{"type":"login_ack","result":"ok"}',
    '{"type":"other"}',
    'null',
  ];
  for (const other of others) assert.equal(parseLoginAck(other), undefined, other);
  assert.deepEqual([isLoginToken(token), isLoginToken(`${token}A`), isLoginToken(7)], [true, false, false]);
});

test('whatever an object holds, reading it gives a login within the rules or a fault, and never throws', () => {
  const field = fc.oneof(
    fc.anything(),
    fc.string(),
    fc.constantFrom('bob', 'correct horse', 'phone'),
    fc.nat(),
  );
  const keys = ['user', 'password', 'device', 'upTo', 'receiptsAfter'] as const;
  const objects = fc.record(Object.fromEntries(keys.map((key) => [key, field])), { requiredKeys: [] });
  fc.assert(
    fc.property(objects, (value) => {
      const login = parseLogin(value as Record<string, unknown>);
      if ('fault' in login) return;
      assert.match(login.user, /^[a-z0-9_-]{1,32}$/);
      assert.match(login.device, /^[A-Za-z0-9_.-]{1,32}$/);
      const bytes = Buffer.byteLength(login.password);
      assert.ok(bytes >= 8 && bytes <= 256);
      assert.deepEqual(parseLogin(JSON.parse(encodeLogin(login))), login);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeReconnectReason } from '#protocol';
import { type ConnectionEnd, describeEnd, nextWaitMs, parseRetryAfterMs } from './reconnect.ts';

const closed = (code: number, reason = ''): ConnectionEnd => ({ kind: 'closed', code, reason });
const refused = (status: number, retryAfterMs?: number) =>
  ({ kind: 'refused', status, retryAfterMs }) satisfies ConnectionEnd;
const wait = (end: ConnectionEnd, attempt = 0, random = 0.5) => nextWaitMs(end, attempt, () => random);

test('the wait doubles with every failed attempt up to the ceiling, and is random over its whole interval', () => {
  const lost = closed(1006);
  const waits = [0, 1, 2, 5, 6, 60].map((attempt) => wait(lost, attempt, 0.999_999)?.toFixed(0));
  assert.deepEqual(waits, ['500', '1000', '2000', '16000', '30000', '30000']);
  assert.equal(wait(lost, 6, 0), 0);
  assert.equal(wait(lost, 6, 0.25), 7_500);
});

test('the wait that a restart names is kept to the millisecond, whatever the attempt', () => {
  assert.equal(wait(closed(1012, encodeReconnectReason(2_345)), 7), 2_345);
  assert.equal(wait(closed(1001, encodeReconnectReason(0))), 0);
});

test('a wait in another close, or one beyond an hour, is not kept', () => {
  assert.equal(wait(closed(1011, encodeReconnectReason(60_000))), 250);
  assert.equal(wait(closed(1012, encodeReconnectReason(9_999_999))), 3_600_000);
  assert.equal(wait(closed(1012, 'see you')), 250);
});

test('an end that would be repeated is final; after any other the client reconnects', () => {
  for (const code of [1000, 1003, 1007, 1008, 1009]) assert.equal(wait(closed(code)), undefined, `${code}`);
  for (const code of [1001, 1006, 1011, 1012, 1013, 4008]) assert.equal(wait(closed(code)), 250, `${code}`);
  for (const status of [301, 400, 401, 403, 404]) assert.equal(wait(refused(status)), undefined, `${status}`);
  for (const status of [429, 500, 502, 503]) assert.equal(wait(refused(status)), 250, `${status}`);
  assert.equal(wait({ kind: 'unreachable', cause: 'ECONNREFUSED' }), 250);
});

test('jitter is added to Retry-After, so that refused clients do not return at the same moment', () => {
  assert.equal(wait(refused(503, 4_000), 0, 0), 4_000);
  assert.equal(wait(refused(503, 4_000), 0, 0.5), 4_250);
});

test('Retry-After is read as seconds or as a date, and as nothing else', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(parseRetryAfterMs('120', nowMs), 120_000);
  assert.equal(parseRetryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', nowMs), 30_000);
  assert.equal(parseRetryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', nowMs), 0);
  assert.equal(parseRetryAfterMs('soon', nowMs), undefined);
  assert.equal(parseRetryAfterMs(undefined, nowMs), undefined);
});

test('every end is described in words, with its code', () => {
  assert.match(describeEnd(closed(4008)), /read too slowly.*\[4008\]$/);
  assert.match(describeEnd(closed(1008, 'rate')), /\[1008\] \("rate"\)$/);
  assert.match(describeEnd(closed(4999)), /4999, which this protocol does not define/);
  assert.match(describeEnd(refused(403)), /HTTP 403.*--origin or --token/);
  assert.match(describeEnd(refused(404)), /HTTP 404.*\/ws\/<room>/);
  assert.match(describeEnd(refused(503, 2_000)), /HTTP 503.*full or about to stop.*2 s/);
  assert.match(describeEnd({ kind: 'unreachable', cause: 'ECONNREFUSED' }), /nothing listens/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditDeliveries, type ParticipantLog } from './delivery-audit.ts';
import type { Connection } from './participant.ts';

const faultAtMs = 1000;
const ready = () => true;
const connection = (
  openedAtMs: number,
  closedAtMs: number | null = null,
  code: number | null = null,
): Connection => ({ node: 'node-1', openedAtMs, closedAtMs, code });

function log(part: Partial<ParticipantLog>): ParticipantLog {
  return {
    connections: [connection(0)],
    published: [],
    receivedAtMs: new Map(),
    duplicated: 0,
    reordered: 0,
    ...part,
  };
}

const publish = (key: string, atMs: number) => ({ key, atMs, node: 'node-1' });
/** Published `a` soon after the fault and `b` later, and received both. */
const alice = log({
  published: [publish('a', 1100), publish('b', 5000)],
  receivedAtMs: new Map([
    ['a', 1101],
    ['b', 5001],
  ]),
});
/** Did not receive `a`. */
const bobOf = (...connections: Connection[]) => log({ connections, receivedAtMs: new Map([['b', 5001]]) });

test('a message that others received is lost silently for a participant whose connection held', () => {
  const audit = auditDeliveries([alice, bobOf(connection(0))], faultAtMs, ready);
  assert.equal(audit.lostSilently, 1);
  assert.equal(audit.delivered, 3);
  assert.equal(audit.recoveredAfterMs, 100);
  assert.equal(audit.held, 2);
});

test('a close after the loss tells the participant, and the detection time is measured', () => {
  const bob = bobOf(connection(0, 1700, 1012), connection(2000));
  const audit = auditDeliveries([alice, bob], faultAtMs, ready);
  assert.equal(audit.lostSilently, 0);
  assert.equal(audit.lostAndTold, 1);
  assert.equal(audit.detectionMsMax, 600);
  assert.equal(audit.recoveredAfterMs, 1000);
  assert.deepEqual(audit.closes, { 1012: 1 });
});

test('an absent participant loses nothing, and the chat has not recovered until it is back', () => {
  const bob = bobOf(connection(0, 900, 1006), connection(1500));
  const audit = auditDeliveries([alice, bob], faultAtMs, ready);
  assert.equal(audit.lostSilently + audit.lostAndTold, 0);
  assert.equal(audit.recoveredAfterMs, 500);
});

test('a message that reaches no client is undelivered if its sender was closed, and lost silently for all if not', () => {
  const closed = log({
    connections: [connection(0, 1300, 1006), connection(1400)],
    published: [publish('a', 1100)],
  });
  const bob = log({});
  assert.equal(auditDeliveries([closed, bob], faultAtMs, ready).undelivered, 1);
  assert.equal(auditDeliveries([closed, bob], faultAtMs, ready).lostSilently, 0);
  const held = log({ published: [publish('a', 1100)] });
  assert.equal(auditDeliveries([held, bob], faultAtMs, ready).lostSilently, 2);
});

test('a node that reports ready while it delivers nothing is named, for as long as it does', () => {
  const sender = log({ published: [publish('a', 1100), publish('b', 1900), publish('c', 3000)] });
  const audit = auditDeliveries([sender], faultAtMs, (_node, atMs) => atMs < 2500);
  assert.equal(audit.readyWhileBrokenMsMax, 800);
  assert.equal(audit.recoveredAfterMs, null);
});

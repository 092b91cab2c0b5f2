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

test('who resumes is owed all since its first join, and a loss is told by the answer to a position alone', () => {
  const join = (openedAtMs: number, closedAtMs: number | null, recovered: boolean): Connection => ({
    ...connection(openedAtMs, closedAtMs, closedAtMs === null ? null : 1006),
    recovered,
  });
  const carol = { ...alice, resumes: true, connections: [join(0, null, false)] };
  /** Away when `a` was said; told this at its return. */
  const back = (recovered: boolean) => {
    const bob = { ...bobOf(join(0, 1050, false), join(1300, null, recovered)), resumes: true };
    return auditDeliveries([carol, bob], faultAtMs, ready);
  };
  const told = back(false);
  assert.deepEqual([told.lostSilently, told.lostAndTold, told.detectionMsMax], [0, 1, 200]);
  assert.deepEqual([told.recovered, told.unrecovered], [0, 1]);
  const lied = back(true);
  assert.deepEqual([lied.lostSilently, lied.lostAndTold, lied.recovered, lied.unrecovered], [1, 0, 1, 0]);
  const late = { ...bobOf(join(2000, null, false)), resumes: true };
  assert.equal(auditDeliveries([carol, late], faultAtMs, ready).lostSilently, 0, 'it joined later');
});

test('participants that resume hear one order, and who heard another one is counted', () => {
  const heard = (...keys: string[]) => {
    const receivedAtMs = new Map(keys.map((key, index) => [key, 1000 + index]));
    return log({ receivedAtMs, resumes: true, connections: [{ ...connection(0), recovered: false }] });
  };
  const orders = (...logs: ParticipantLog[]) => auditDeliveries(logs, faultAtMs, ready).disordered;
  assert.equal(orders(heard('a', 'b', 'c'), heard('a', 'c'), heard('b', 'c')), 0);
  assert.equal(orders(heard('a', 'b', 'c'), heard('b', 'a', 'c')), 1);
  assert.equal(orders(heard('a'), log({})), undefined, 'not all resume');
});

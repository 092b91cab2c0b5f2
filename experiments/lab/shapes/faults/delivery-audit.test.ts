import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditKill, type Witness } from './delivery-audit.ts';
import type { PersonSession } from './participant.ts';

const faultAtMs = 1000;
const ready = () => true;
const session = (
  openedAtMs: number,
  closedAtMs: number | null = null,
  code: number | null = null,
): PersonSession => ({
  node: 'node-1',
  openedAtMs,
  closedAtMs,
  code,
});

function witness(part: Partial<Witness>): Witness {
  return { sessions: [session(0)], said: [], heard: new Map(), duplicated: 0, reordered: 0, ...part };
}

const say = (key: string, atMs: number) => ({ key, atMs, node: 'node-1' });

test('whoever stayed and missed what others heard has lost it silently', () => {
  const alice = witness({
    said: [say('a', 1100), say('b', 5000)],
    heard: new Map([
      ['a', 1101],
      ['b', 5001],
    ]),
  });
  const bob = witness({ heard: new Map([['b', 5001]]) });
  const audit = auditKill([alice, bob], faultAtMs, ready);
  assert.equal(audit.lostSilently, 1);
  assert.equal(audit.delivered, 3);
  assert.equal(audit.wellAfterMs, 100);
  assert.equal(audit.stayed, 2);
});

test('whoever was cut off later has been told, and how long that took is known', () => {
  const alice = witness({
    said: [say('a', 1100), say('b', 5000)],
    heard: new Map([
      ['a', 1101],
      ['b', 5001],
    ]),
  });
  const bob = witness({ sessions: [session(0, 1700, 1012), session(2000)], heard: new Map([['b', 5001]]) });
  const audit = auditKill([alice, bob], faultAtMs, ready);
  assert.equal(audit.lostSilently, 0);
  assert.equal(audit.missedAndTold, 1);
  assert.equal(audit.darkMsMax, 600);
  assert.equal(audit.wellAfterMs, 1000);
  assert.deepEqual(audit.closes, { 1012: 1 });
});

test('whoever was away is owed nothing, and until he is back all is not well', () => {
  const alice = witness({
    said: [say('a', 1100), say('b', 5000)],
    heard: new Map([
      ['a', 1101],
      ['b', 5001],
    ]),
  });
  const bob = witness({ sessions: [session(0, 900, 1006), session(1500)], heard: new Map([['b', 5001]]) });
  const audit = auditKill([alice, bob], faultAtMs, ready);
  assert.equal(audit.lostSilently + audit.missedAndTold, 0);
  assert.equal(audit.wellAfterMs, 500);
});

test('what nobody heard is the loss of its speaker when he was cut off, and of everybody when he was not', () => {
  const cutOff = witness({ sessions: [session(0, 1300, 1006), session(1400)], said: [say('a', 1100)] });
  const bob = witness({});
  assert.equal(auditKill([cutOff, bob], faultAtMs, ready).unheard, 1);
  assert.equal(auditKill([cutOff, bob], faultAtMs, ready).lostSilently, 0);
  const stayed = witness({ said: [say('a', 1100)] });
  assert.equal(auditKill([stayed, bob], faultAtMs, ready).lostSilently, 2);
});

test('a node that calls itself ready while it does not carry is found out, for as long as it does', () => {
  const alice = witness({ said: [say('a', 1100), say('b', 1900), say('c', 3000)], heard: new Map() });
  const audit = auditKill([alice], faultAtMs, (_node, atMs) => atMs < 2500);
  assert.equal(audit.readyWhileBrokenMsMax, 800);
  assert.equal(audit.wellAfterMs, null);
});

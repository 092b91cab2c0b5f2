import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from './ledger.ts';

/** Alice writes 1 to `count` to Bob, and the server takes them all. */
function written(count: number): Ledger {
  const ledger = new Ledger();
  for (let n = 1; n <= count; n++) {
    ledger.wrote('alice', 'bob', `${n}`, `text ${n}`, n);
    ledger.acked('alice', `${n}`, n + 10);
  }
  return ledger;
}

const message = (seq: number, id = seq, text = `text ${id}`) => ({
  ...{ type: 'message' as const, from: 'alice', id: `${id}`, seq, Message: text, sentAtMs: 0 },
});

const clean = { refused: 0, unanswered: 0, lost: 0, doubled: 0, disordered: 0, gone: 0, strange: 0 };

test('what is heard once and in order is no fault, and its times are known', () => {
  const ledger = written(3);
  for (const seq of [1, 2, 3]) ledger.heard('bob', message(seq), 100);
  assert.deepEqual(ledger.audit(), { ...clean, written: 3, acked: 3 });
  assert.deepEqual(
    [ledger.ackMs, ledger.deliveryMs],
    [
      [10, 10, 10],
      [99, 98, 97],
    ],
  );
  assert.equal(ledger.outstanding, 0);
});

test('lost is what was acknowledged and never heard; what was not acknowledged is not lost', () => {
  const ledger = written(2);
  ledger.wrote('alice', 'bob', '3', 'text 3', 3);
  ledger.heard('bob', message(1), 100);
  assert.deepEqual(ledger.audit(), { ...clean, written: 3, acked: 2, lost: 1, unanswered: 1 });
  assert.equal(ledger.outstanding, 2);
});

test('a message that comes again is doubled, and out of order where its place is not behind the last', () => {
  const ledger = written(2);
  for (const [seq, id] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [1, 1],
  ] as const)
    ledger.heard('bob', message(seq, id), 100);
  assert.deepEqual(ledger.audit(), { ...clean, written: 2, acked: 2, doubled: 2, disordered: 1 });
});

test('a wrong recipient and a changed text are strange, and leave the message outstanding', () => {
  const ledger = written(1);
  ledger.heard('eve', message(1), 100);
  ledger.heard('bob', message(1, 1, 'text x'), 100);
  assert.deepEqual(ledger.audit(), { ...clean, written: 1, acked: 1, lost: 1, strange: 2 });
});

test('refused messages are owed to nobody; an answer that comes twice counts once; gaps are summed', () => {
  const ledger = written(1);
  ledger.wrote('alice', 'bob', '2', 'text 2', 2);
  ledger.refused('alice', '2');
  ledger.acked('alice', '1', 500);
  ledger.heard('bob', message(1), 100);
  ledger.gone(4, 6);
  assert.deepEqual(ledger.audit(), { ...clean, written: 2, acked: 1, refused: 1, gone: 3 });
  assert.deepEqual(ledger.ackMs, [10]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Receipts } from './receipts.ts';

test('a receipt never goes back, each kind by itself, and strangers have none', () => {
  const receipts = new Receipts();
  receipts.wrote(3, 7);
  const steps = [
    ['received', 5, 'new'],
    ['received', 5, 'new'],
    ['read', 2, 'new'],
    ['received', 4, 'back'],
    ['read', 3, 'new'],
    ['read', 1, 'back'],
    ['received', 6, 'new'],
  ] as const;
  for (const [kind, upTo, verdict] of steps) assert.equal(receipts.receipt(3, 7, kind, upTo), verdict);
  assert.equal(receipts.receipt(7, 3, 'received', 1), 'stranger');
});

test('a sender is told when its last acknowledged message was received', () => {
  const receipts = new Receipts();
  receipts.acked(1, 2, 10);
  receipts.acked(1, 3, 4);
  assert.equal(receipts.untold(), 2);
  receipts.receipt(1, 2, 'received', 9);
  receipts.receipt(1, 3, 'received', 8);
  assert.equal(receipts.untold(), 1);
  receipts.receipt(1, 2, 'received', 10);
  assert.equal(receipts.untold(), 0);
});

test('every pair has a value of its own, however many there are', () => {
  const pairs = fc.uniqueArray(fc.tuple(fc.nat(2 ** 20 - 1), fc.nat(999_999)), {
    selector: ([device, peer]) => device * 2 ** 20 + peer,
    maxLength: 3000,
    minLength: 1,
  });
  fc.assert(
    fc.property(pairs, (all) => {
      const receipts = new Receipts();
      all.forEach(([device, peer], i) => {
        receipts.acked(device, peer, i + 1);
      });
      assert.equal(receipts.untold(), all.length);
      all.forEach(([device, peer], i) => {
        assert.equal(receipts.receipt(device, peer, 'received', i + 1), 'new');
      });
      assert.equal(receipts.untold(), 0);
      const [[device, peer]] = all as [[number, number]];
      assert.equal(receipts.receipt(device, peer, 'received', 0), 'back');
    }),
    { numRuns: 20 },
  );
});

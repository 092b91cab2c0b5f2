import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageLedger } from './image-ledger.ts';

/** Images 0 to `count` - 1, all acknowledged. */
function acknowledged(count: number): ImageLedger {
  const ledger = new ImageLedger();
  for (let number = 0; number < count; number++) {
    ledger.began(number, Buffer.from(`image ${number}`));
    ledger.acked(number, `http://media/${number}`);
  }
  return ledger;
}

test('what is found with its bytes is no fault; every acknowledged image is looked for', () => {
  const ledger = acknowledged(2);
  const urls = [...ledger.owed()].map(({ url }) => url);
  assert.deepEqual(urls, ['http://media/0', 'http://media/1']);
  for (const { number } of ledger.owed()) ledger.found(number, Buffer.from(`image ${number}`));
  assert.deepEqual(ledger.audit(), { acked: 2, unanswered: 0, lost: 0, changed: 0 });
});

test('lost is what is not there, and what nobody looked for; other bytes are a change', () => {
  const ledger = acknowledged(4);
  ledger.found(0, Buffer.from('image 0'));
  ledger.found(1, null);
  ledger.found(2, Buffer.from('image 2?'));
  assert.deepEqual(ledger.audit(), { acked: 4, unanswered: 0, lost: 2, changed: 1 });
});

test('an upload without an answer is owed to nobody, and counted', () => {
  const ledger = acknowledged(1);
  ledger.began(1, Buffer.from('image 1'));
  ledger.found(0, Buffer.from('image 0'));
  assert.deepEqual([...ledger.owed()].length, 1);
  assert.deepEqual(ledger.audit(), { acked: 1, unanswered: 1, lost: 0, changed: 0 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slotOf, slotsTotal, tagsOf } from './hash-slot.ts';

test('slots are those of the specification of Redis Cluster', () => {
  // Its own examples: CRC16 of 123456789 is 0x31c3, and which keys share a slot.
  assert.equal(slotOf('123456789'), 0x31c3 % slotsTotal);
  const tags = [
    ['{user1000}.following', '{user1000}.followers', true],
    ['foo{bar}{zap}', 'bar', true],
    ['foo{{bar}}zap', '{bar', true],
    ['foo{}{bar}', 'bar', false],
  ] as const;
  for (const [key, other, same] of tags) assert.equal(slotOf(key) === slotOf(other), same, key);
});

test('each group has a stretch of the slots: three primaries have five or six groups of sixteen', () => {
  const tags = tagsOf(16);
  assert.equal(new Set(tags).size, 16);
  const primaries = [0, 0, 0];
  for (const [group, tag] of tags.entries()) {
    const slot = slotOf(`chat:1:{${tag}}:{7}`);
    assert.equal(Math.floor((slot * 16) / slotsTotal), group);
    primaries[slot <= 5460 ? 0 : slot <= 10_922 ? 1 : 2]!++;
  }
  for (const groups of primaries) assert.ok(groups === 5 || groups === 6, `${primaries}`);
});

test('the tags never change: they are part of the names of all keys', () => {
  assert.equal(tagsOf(16).join(), '10,3,61,43,11,2,60,42,12,1,63,41,13,0,62,40');
});

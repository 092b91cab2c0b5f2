import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, keysOf, partitionOf } from './partition.ts';

test('the hash is FNV-1a as published', () => {
  // Test vectors of http://www.isthe.com/chongo/tech/comp/fnv: the partition of a room must never change.
  const vectors = [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ] as const;
  for (const [text, hash] of vectors) assert.equal(hashOf(text), hash, text);
  assert.equal(partitionOf('foobar', 64), 0xbf9cf968 % 64);
});

test('rooms with numbers in their names are spread over the partitions', () => {
  const rooms = new Array(64).fill(0);
  for (let room = 0; room < 6400; room++) rooms[partitionOf(`room-${room}`, 64)]++;
  assert.ok(Math.min(...rooms) > 50 && Math.max(...rooms) < 200, `${rooms}`);
});

test('all keys of a partition have the same hash tag', () => {
  const keys = Object.values(keysOf('chat:1', 7));
  assert.equal(new Set(keys).size, keys.length);
  for (const key of keys) assert.match(key, /^chat:1:\{7\}/);
});

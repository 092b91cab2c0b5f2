import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bits } from './bits.ts';

test('bits are a set of numbers, and merged bits are their union', () => {
  const numbers = fc.array(fc.nat(100_000), { maxLength: 200 });
  fc.assert(
    fc.property(numbers, numbers, (some, others) => {
      const [one, other] = [new Bits(), new Bits()];
      const known = new Set<number>();
      for (const number of some) {
        assert.equal(one.add(number), !known.has(number));
        known.add(number);
      }
      for (const number of others) other.add(number);
      one.merge(other.bytes);
      const all = new Set([...some, ...others]);
      const found: number[] = [];
      one.forEach((number) => {
        found.push(number);
      });
      assert.deepEqual(
        found,
        [...all].sort((a, b) => a - b),
      );
      for (const number of [...all, 100_001, 1e9]) assert.equal(one.has(number), all.has(number));
    }),
    { numRuns: 50 },
  );
});

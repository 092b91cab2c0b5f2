import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeatTable, seatCount } from './seats.ts';

const partitions = 64;
const url = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `ws://10.0.0.${host}:${port}`);
const nodes = fc.uniqueArray(url, { minLength: 1, maxLength: 12 });
const loadFactor = fc.constantFrom(1, 1.1, 1.25, 2);
const all = [...Array(partitions).keys()];
const firsts = (table: SeatTable) => all.map((partition) => table.order(partition)[0]!);

test('all nodes seat alike, in whatever order they know each other', () => {
  const shuffled = nodes.chain((urls) =>
    fc.record({ urls: fc.constant(urls), other: fc.shuffledSubarray(urls, { minLength: urls.length }) }),
  );
  fc.assert(
    fc.property(shuffled, loadFactor, ({ urls, other }, factor) => {
      const [one, two] = [urls, other].map((list) => new SeatTable(list, partitions, factor));
      for (const partition of all) assert.deepEqual(one!.order(partition), two!.order(partition));
    }),
  );
});

test('the order of a partition holds every node once', () => {
  fc.assert(
    fc.property(nodes, loadFactor, (urls, factor) => {
      const table = new SeatTable(urls, partitions, factor);
      for (const partition of all) assert.deepEqual(table.order(partition).toSorted(), urls.toSorted());
    }),
  );
});

test('no node is the first seat of more partitions than the load factor allows', () => {
  fc.assert(
    fc.property(nodes, loadFactor, (urls, factor) => {
      const held = Map.groupBy(firsts(new SeatTable(urls, partitions, factor)), (first) => first);
      const bound = Math.ceil((factor * partitions) / urls.length);
      for (const [first, { length }] of held) assert.ok(length <= bound, `${first} has ${length}`);
      assert.equal(
        [...held.values()].reduce((sum, { length }) => sum + length, 0),
        partitions,
      );
    }),
  );
});

test('when a node comes or goes, without a bound only its own partitions move', () => {
  fc.assert(
    fc.property(fc.uniqueArray(url, { minLength: 2, maxLength: 12 }), (urls) => {
      const [changed, ...others] = urls;
      const unbounded = urls.length;
      const before = firsts(new SeatTable(others, partitions, unbounded));
      const after = firsts(new SeatTable(urls, partitions, unbounded));
      for (const partition of all)
        if (after[partition] !== changed) assert.equal(after[partition], before[partition]);
    }),
  );
});

test('with equal load a change moves little more than the share of the node, on average', () => {
  const random = fc.sample(fc.uniqueArray(url, { minLength: 2, maxLength: 9 }), { numRuns: 300, seed: 1 });
  let moved = 0;
  let ideal = 0;
  for (const urls of random) {
    const before = firsts(new SeatTable(urls.slice(1), partitions, 1));
    const after = firsts(new SeatTable(urls, partitions, 1));
    moved += after.filter((first, partition) => first !== before[partition]).length;
    ideal += partitions / urls.length;
  }
  const ratio = moved / ideal;
  assert.ok(ratio >= 0.95 && ratio <= 1.35, `${ratio.toFixed(2)} times the share`);
});

test('without nodes there is no seat', () => {
  assert.deepEqual(new SeatTable([], partitions, 1).order(3), []);
});

test('a partition sits on one node up to the bound, then on two, four and so on', () => {
  const counts = [0, 1, 100, 101, 200, 201, 400, 401].map((sessions) => seatCount(sessions, 100));
  assert.deepEqual(counts, [1, 1, 1, 2, 2, 4, 4, 8]);
});

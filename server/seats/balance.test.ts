import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partitionOf } from '../backplane/partition.ts';
import { type Crowd, seatCrowd } from './balance.fixture.ts';

const random = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

/** How people come: how fast, how many nodes they ask, and how long they take to join. */
const arrival = fc.record({
  asked: fc.integer({ min: 1, max: 4 }),
  perSecond: fc.integer({ min: 100, max: 5_000 }),
  joinMsMax: fc.integer({ min: 1, max: 1_500 }),
  random: random.map((stream) => () => stream.next().value as number),
});

/** The sessions of the fullest node, as a multiple of the mean. */
function fullest(crowd: Omit<Crowd, 'nodes'>): number {
  const sessions = seatCrowd({ nodes: 4, ...crowd });
  assert.equal(
    sessions.reduce((sum, count) => sum + count, 0),
    crowd.people,
  );
  return (Math.max(...sessions) * sessions.length) / crowd.people;
}

test('one huge room is spread evenly, whoever is asked, and however fast people come', () => {
  const room = fc.integer({ min: 0, max: 63 });
  fc.assert(
    fc.property(arrival, room, fc.integer({ min: 1_000, max: 3_000 }), (how, partition, people) => {
      const share = fullest({ ...how, people, seatSessionsMax: 250, partition: () => partition });
      assert.ok(share <= 1.25, `${share.toFixed(2)} times the mean`);
    }),
    { numRuns: 40 },
  );
});

test('many small rooms are seated evenly', () => {
  fc.assert(
    fc.property(arrival, fc.string({ minLength: 1, maxLength: 8 }), (how, prefix) => {
      let person = 0;
      const partition = () => partitionOf(`${prefix}-${Math.floor(person++ / 2)}`, 64);
      const share = fullest({ ...how, people: 4_000, seatSessionsMax: 1_000, partition });
      assert.ok(share <= 1.25, `${share.toFixed(2)} times the mean`);
    }),
    { numRuns: 20 },
  );
});

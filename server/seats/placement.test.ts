import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LivingNode } from './living-node.ts';
import { Placement } from './placement.ts';

const partitions = 64;
const all = [...Array(partitions).keys()];
const urls = ['ws://a:1', 'ws://b:1', 'ws://c:1', 'ws://d:1'];

function node(url: string, more: Partial<LivingNode> = {}): LivingNode {
  const empty = { accepting: true, sessions: 0, sessionsMax: 1000, sessionsByPartition: new Map() };
  return { url, ...empty, ...more };
}

function placementOf(nodes: readonly LivingNode[], seatSessionsMax = 100): Placement {
  const placement = new Placement({ partitions, loadFactor: 1, seatSessionsMax });
  placement.update(nodes);
  return placement;
}

test('people are seated on nodes that let people in, each partition on one', () => {
  const placement = placementOf([node(urls[0]!), node(urls[1]!, { accepting: false }), node(urls[2]!)]);
  const seats = all.map((partition) => placement.seat(partition));
  assert.deepEqual([...new Set(seats)].toSorted(), [urls[0], urls[2]]);
  for (const partition of all) {
    assert.equal(placement.seat(partition), seats[partition]);
    assert.deepEqual(
      urls.filter((url) => placement.isSeat(partition, url)),
      [seats[partition]],
    );
  }
});

test('there is no seat without nodes, or where all are full; a full node is passed over', () => {
  assert.equal(placementOf([]).seat(0), undefined);
  const full = { sessions: 10, sessionsMax: 10 };
  assert.equal(placementOf([node(urls[0]!, full), node(urls[1]!, full)]).seat(0), undefined);
  const one = placementOf([node(urls[0]!, full), node(urls[1]!)]);
  assert.deepEqual(new Set(all.map((partition) => one.seat(partition))), new Set([urls[1]]));
});

test('places that were given away since the last list count as taken', () => {
  const placement = placementOf([node(urls[0]!, { sessions: 7, sessionsMax: 10 })]);
  const given = Array.from({ length: 5 }, () => placement.seat(0));
  assert.deepEqual(given, [urls[0], urls[0], urls[0], undefined, undefined]);
  placement.update([node(urls[0]!, { sessions: 7, sessionsMax: 10 })]);
  assert.equal(placement.seat(0), urls[0]);
});

test('who could not reach a node is sent where all are sent once it is gone', () => {
  const nodes = urls.map((url) => node(url));
  const placement = placementOf(nodes);
  for (const gone of urls) {
    const later = placementOf(nodes.filter(({ url }) => url !== gone));
    for (const partition of all) {
      if (placement.seat(partition) !== gone) continue;
      assert.equal(placement.seat(partition, gone), later.seat(partition));
    }
  }
  assert.equal(placement.seat(3, 'ws://unknown:1'), placement.seat(3));
});

test('a partition with more sessions than a seat takes is spread evenly over several', () => {
  const at = (count: number) => ({ sessions: count, sessionsByPartition: new Map([[5, count]]) });
  const [home] = urls.filter((url) => placementOf(urls.map((each) => node(each))).isSeat(5, url));
  const placement = placementOf(urls.map((url) => node(url, url === home ? at(120) : {})));
  const seats = urls.filter((url) => placement.isSeat(5, url));
  assert.equal(seats.length, 2);
  assert.ok(seats.includes(home!));
  const other = seats.find((url) => url !== home)!;
  const given = Array.from({ length: 200 }, () => placement.seat(5));
  // Each stands for four, because the three other nodes are asked too. So with 20 of them there are 200
  // people, all that two seats take; then the two others get as many as these have, and then all in turn.
  assert.deepEqual(new Set(given.slice(0, 20)), new Set([other]));
  const shares = urls.map((url) => (url === home ? 120 : 0) + 4 * given.filter((to) => to === url).length);
  assert.ok(Math.max(...shares) - Math.min(...shares) <= 4, shares.join());
  assert.equal(urls.filter((url) => placement.isSeat(6, url)).length, 1);
});

test('all people of a partition should leave a node that is not its seat, if the seat has a place', () => {
  const placement = placementOf(urls.map((url) => node(url)));
  const seat = placement.seat(9)!;
  for (const url of urls) {
    const expected = url === seat ? undefined : { count: 30, to: seat };
    assert.deepEqual(placement.surplus(9, url, 30), expected);
  }
  const full = urls.map((url) => node(url, url === seat ? { sessions: 1000 } : {}));
  assert.equal(placementOf(full).surplus(9, urls.find((url) => url !== seat)!, 30), undefined);
  assert.equal(placementOf([]).surplus(9, urls[0]!, 30), undefined);
});

test('a spread partition keeps what is near an equal share, and stays spread until half of the bound', () => {
  const held = (counts: number[]) =>
    urls.map((url, i) => node(url, { sessionsByPartition: new Map([[5, counts[i]!]]) }));
  const order = urls.toSorted((a, b) => rank(a) - rank(b));
  // 240 sessions and 100 for each seat: four seats, 60 each.
  const even = placementOf(held([60, 60, 60, 60]));
  for (const url of urls) assert.equal(even.surplus(5, url, 60), undefined);
  const uneven = placementOf(held([180, 20, 20, 20]));
  assert.equal(uneven.surplus(5, urls[0]!, 180)?.count, 105, 'down to 1.25 × 60');
  assert.equal(uneven.surplus(5, urls[1]!, 20), undefined);
  // 80 sessions: newcomers go to one node, and those on the second may stay.
  const fewer = placementOf(held([20, 20, 20, 20]));
  assert.deepEqual(
    order.map((url) => fewer.surplus(5, url, 20)?.count),
    [undefined, undefined, 20, 20],
  );
  // 40: one node is enough.
  const few = placementOf(held([10, 10, 10, 10]));
  assert.deepEqual(
    order.map((url) => few.surplus(5, url, 10)?.count),
    [undefined, 10, 10, 10],
  );
});

/** The place of a node in the order of partition 5. */
function rank(url: string): number {
  for (const seats of [1, 2, 4]) {
    const counted = node(urls[0]!, { sessionsByPartition: new Map([[5, seats * 100]]) });
    const placement = placementOf([counted, ...urls.slice(1).map((each) => node(each))]);
    if (placement.isSeat(5, url)) return seats;
  }
  return Number.POSITIVE_INFINITY;
}

test('moving the surplus away ends: wherever people sit, some rounds later nobody has to move', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(counts, (start) => {
      let held = start;
      const list = () => urls.map((url, i) => node(url, { sessionsByPartition: new Map([[5, held[i]!]]) }));
      const surpluses = () => {
        const placement = placementOf(list());
        return urls.map((url, i) => (held[i] === 0 ? 0 : (placement.surplus(5, url, held[i]!)?.count ?? 0)));
      };
      for (let round = 0; round < 5; round++) {
        const leaving = surpluses();
        const placement = placementOf(list());
        const next = held.map((count, i) => count - leaving[i]!);
        const moved = leaving.reduce((sum, count) => sum + count, 0);
        for (let i = 0; i < moved; i++) next[urls.indexOf(placement.seat(5)!)]!++;
        held = next;
      }
      assert.deepEqual(surpluses(), [0, 0, 0, 0]);
    }),
  );
});

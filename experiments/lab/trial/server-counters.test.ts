import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countersOf } from './server-counters.ts';

const text = (accepted: number, read: number | null) =>
  [
    `chat_messages_received_total ${accepted}`,
    `chat_deliveries_total ${accepted * 1000}`,
    `chat_delivered_bytes_total ${accepted * 130_000}`,
    `chat_writes_total ${accepted * 20}`,
    ...(read === null ? [] : [`chat_backplane_messages_read_total ${read}`]),
  ].join('\n');
const of = (name: string, accepted: number, read: number | null = null) => ({
  name,
  text: text(accepted, read),
});

test('counters grow from the first to the last answer of each node, and add up over the nodes', () => {
  const readings = [
    of('a', 100, 150),
    of('b', 50, 150),
    of('a', 120, 190),
    of('a', 140, 230),
    of('b', 90, 230),
  ];
  assert.deepEqual(countersOf(readings, 2), {
    accepted: 80,
    deliveries: 80_000,
    deliveredBytes: 10_400_000,
    writes: 1600,
    backplaneRead: 160,
  });
});

test('a node without two answers, and a server without these counters, give no figures', () => {
  const silent = { name: 'b', text: '' };
  assert.equal(countersOf([of('a', 1), of('a', 2), of('b', 1), silent], 2), null);
  assert.equal(countersOf([of('a', 1), of('a', 2)], 2), null);
  assert.equal(
    countersOf(
      [
        { name: 'a', text: 'up 1' },
        { name: 'a', text: 'up 1' },
      ],
      1,
    ),
    null,
  );
});

test('a stage without a backplane reads nothing from it', () => {
  assert.equal(countersOf([of('a', 1), of('a', 2)], 1)?.backplaneRead, null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChannelIndex } from './channel-index.ts';

type Entry = { readonly channels: readonly string[]; ended: boolean };

const channels = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('add'), channels }),
  fc.record({ kind: fc.constant('end'), channels }),
  fc.record({ kind: fc.constant('visit'), channels }),
);

test('a visit meets those who are there, as often as they have one of its channels', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const index = new ChannelIndex<Entry>();
      const living: Entry[] = [];
      for (const { kind, channels } of steps) {
        if (kind === 'add') {
          const entry = { channels, ended: false };
          index.add(entry, channels);
          living.push(entry);
        } else if (kind === 'end') {
          const entry = living.splice(channels.length % (living.length || 1), 1)[0];
          if (!entry) continue;
          entry.ended = true;
          index.left(entry.channels.length);
        } else {
          const met: Entry[] = [];
          index.visit(channels, (entry) => met.push(entry));
          const names: readonly string[] = channels;
          const expected = living.flatMap((entry) =>
            entry.channels.filter((channel) => names.includes(channel)).map(() => entry),
          );
          assert.equal(met.length, expected.length);
          assert.deepEqual(new Set(met), new Set(expected));
        }
      }
    }),
  );
});

test('those who left without any post are forgotten, however many come and go', () => {
  const index = new ChannelIndex<Entry>();
  const enter = (names: string[]) => {
    const entry = { channels: names, ended: false };
    index.add(entry, names);
    return entry;
  };
  const present = Array.from({ length: 20 }, (_, person) => enter([`home ${person}`, 'all']));
  let placesMax = 0;
  for (let visit = 0; visit < 10_000; visit++) {
    const entry = enter(['all', `only ${visit}`]);
    entry.ended = true;
    index.left(2);
    placesMax = Math.max(placesMax, index.places);
  }
  assert.ok(placesMax <= 8 * 40, `${placesMax} places for 40 that are needed`);
  for (const entry of present) {
    entry.ended = true;
    index.left(2);
  }
  index.left(placesMax);
  assert.equal(index.places, 0);
  assert.equal(index.size, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../input-error.ts';
import { firstLoad, refuseShortTime } from './capacity.ts';

test('a search begins at half of what the variant before it carried, of those with no more nodes', () => {
  const scaled = (count: number) => ({ scale: { of: 'nodes' as const, count, group: 'g' } });
  const found = [
    { variant: scaled(1), capacity: 1000 },
    { variant: scaled(4), capacity: 8000 },
  ];
  assert.equal(firstLoad(scaled(1), found, 300), 500);
  assert.equal(firstLoad(scaled(4), found, 300), 4000);
  assert.equal(firstLoad({}, found, 300), 4000);
  assert.equal(firstLoad(scaled(1), [], 300), 300);
});

test('a search begins at a whole number of clients, of one at the least', () => {
  const after = (capacity: number) => firstLoad({}, [{ variant: {}, capacity }], 300);
  assert.deepEqual([after(1250.1), after(182.3), after(0.4)], [625, 91, 1]);
});

test('a time in which no trial could be judged is refused, with the time that was given and what is needed', () => {
  refuseShortTime(5 * 60, 7);
  const text = (seconds: number, searches: number, sharedBy?: number) => {
    try {
      refuseShortTime(seconds, searches, sharedBy);
    } catch (error) {
      assert.ok(error instanceof InputError);
      return error.message;
    }
    return '';
  };
  assert.match(text(60, 7), /required at least 5m for 7 searches; given 1m\./);
  assert.match(text(105, 4, 4), /required at least 10m for 16 searches; given 7m\./);
});

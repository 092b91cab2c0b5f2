import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { percent, rate, size, time } from './units.ts';

test('a number with its unit is read; without it, or with another, it is not; a rate needs none', () => {
  assert.equal(time.parse('250ms'), 250);
  assert.equal(time.parse('1.5s'), 1500);
  assert.equal(time.parse('30m'), 1_800_000);
  assert.equal(time.parse('2h'), 7_200_000);
  assert.equal(time.parse('90d'), 7_776_000_000);
  assert.equal(size.parse('64KiB'), 65_536);
  assert.equal(size.parse('1.5MiB'), 1_572_864);
  assert.deepEqual([rate.parse('0.5/s'), rate.parse('500')], [0.5, 500]);
  assert.equal(percent.parse('12.5%'), 12.5);
  for (const text of ['5', '', 's', '5 s', '5S', '-5s', '5sec', '1e999x', '0x5s'])
    assert.equal(time.parse(text), undefined, text);
  for (const text of ['64', '64K', '64kib', '64KB']) assert.equal(size.parse(text), undefined, text);
  for (const text of ['', 'x', '500/m', '500/1s']) assert.equal(rate.parse(text), undefined, text);
});

test('a value is written in the largest unit in which it is whole', () => {
  const times = [0, 0.3, 4, 250, 1500, 30_000, 90_000, 300_000, 3_600_000, 172_800_000].map(time.format);
  assert.deepEqual(times, ['0s', '300us', '4ms', '250ms', '1500ms', '30s', '90s', '5m', '1h', '2d']);
  assert.deepEqual([0, 128, 4096, 15_000, 2 ** 20].map(size.format), [
    '0B',
    '128B',
    '4KiB',
    '15000B',
    '1MiB',
  ]);
});

test('what is written is read as the same value', () => {
  for (const unit of [time, size, rate, percent])
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.double({ min: 1e-9, max: 1e9, noNaN: true })), (value) => {
        const read = unit.parse(unit.format(value))!;
        assert.ok(Math.abs(read - value) <= 1e-12 * value, unit.format(value));
      }),
    );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAtLeast, formatCores, formatCount, formatMs, formatNumber, roundFigures } from './format.ts';

test('numbers have three digits, thousands apart, and never seven digits', () => {
  assert.deepEqual([14_072, 73.66, 0.97, 3_344_933, 999.6].map(formatNumber), [
    '14,100',
    '73.7',
    '0.97',
    '3.34 M',
    '1,000',
  ]);
  assert.deepEqual([1329, 3_344_933].map(formatCount), ['1,329', '3.34 M']);
  assert.deepEqual([0.4273, 36.12, 999.7, 1667.071, 2_147_483.647].map(formatMs), [
    '0.43 ms',
    '36.1 ms',
    '1 s',
    '1.67 s',
    '∞',
  ]);
  assert.deepEqual([1, 2, 0.25].map(formatCores), ['1 core', '2 cores', '0.25 cores']);
});

test('a lower bound is rounded down', () => {
  assert.deepEqual([18_371, 30_312, 99.96, 120].map(formatAtLeast), [
    '≥ 18,300',
    '≥ 30,300',
    '≥ 99.9',
    '≥ 120',
  ]);
});

test('sentences of programs are rounded, and limits, names and versions in them are not', () => {
  const sentence =
    'p99 was 1667.071 ms; the limit is p99<250ms; 3344933 deliveries never came; 1.00 cores busy at 13514';
  assert.equal(
    roundFigures(sentence),
    'p99 was 1.67 s; the limit is p99<250ms; 3.34 M deliveries never came; 1 core busy at 13,500',
  );
  const names = 'redis:8.12.345, node-12345, chat-scaling-lab:12345678, http://127.0.0.1:54321';
  assert.equal(roundFigures(names), names);
});

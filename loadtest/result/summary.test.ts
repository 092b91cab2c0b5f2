import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpainted } from '#host/paint.ts';
import { outstandingMs } from '../record/histogram.ts';
import { compareWithBaseline } from './baseline.ts';
import type { LoadtestResult } from './schema.ts';
import { formatBaseline, formatSteps, formatSummary } from './summary.ts';

const long = {
  count: 5,
  mean: 1,
  p50: 1234.5,
  p90: 98_765.4,
  p95: 1e5,
  p99: 2e5,
  p999: 3e5,
  p9999: 4e5,
  max: 5e5,
};
const limits = [
  'p99<250ms',
  'growth<50ms',
  'achieved>99/s',
  'lost=0',
  'reordered=0',
  'misrouted=0',
  'closed=0',
];
const result = {
  verdict: 'undetermined',
  reasons: [
    'a reason that is longer than the eighty columns of a terminal, so that it has to go on in a line',
  ],
  limits: limits.map((expression, index) => ({
    expression,
    held: index > 0,
    observed: [282.3, 3.21, 12_345.6][index] ?? 0,
  })),
  workload: { workers: 2, stalledReaders: 0, churnPerSecond: 0, order: 'one-for-all' },
  offeredPerSecond: 1_234_567,
  achievedPerSecond: 1_234_567,
  deliveriesPerSecond: 12_345_678_901,
  deliveryLatencyMs: long,
  serviceLatencyMs: { ...long, p99: outstandingMs },
  scheduleLagMs: { ...long, count: 0 },
  backlogGrowthMs: 123.456,
  audit: {
    ...{ delivered: 12_345_678_901, expected: 12_345_678_901, lost: 0, duplicated: 0 },
    ...{ reordered: 0, misrouted: 0, corrupted: 0 },
  },
  orderedPairs: 12_345_678_901,
  connections: { asked: 100_000, opened: 100_000, refused: {}, closedEarly: { 4008: 12_345 } },
  late: 0,
  unsent: { closed: 0, blocked: 0 },
  stalled: { opened: 0 },
  churn: {},
  interrupted: false,
  recoveredSeconds: 1.234,
  instrument: {
    ...{ cpuSeconds: 12.3, loopUtilizationMax: 0.5, turnMs: { p99: 1.234 } },
    ...{ rssBytes: 1e9, rssBytesPerClient: 39_055 },
  },
} as unknown as LoadtestResult;
const narrow = { paint: unpainted, isWide: false };

test('everything fits 80 columns, and with isWide a line is one line', () => {
  const texts = [
    formatSummary(result, narrow),
    formatSteps([result, { ...result, verdict: 'void' }], narrow),
    formatBaseline(compareWithBaseline(result, result, 0.1), narrow, 0.1),
  ];
  for (const line of texts.join('').split('\n')) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  assert.match(formatSummary(result, { ...narrow, isWide: true }), /has to go on in a line$/m);
  assert.match(formatSteps([result], { ...narrow, isWide: true }), /recovered s +verdict$/m);
});

test('a limit shows what was observed, with its unit; those that had to be 0 share a line', () => {
  const lines = formatSummary(result, narrow).split('\n');
  const at = lines.findIndex((line) => line.startsWith('limits'));
  assert.deepEqual(
    lines.slice(at, at + 4).map((line) => line.slice(18)),
    [
      '✗ p99<250ms      282 ms',
      '✓ growth<50ms    3.21 ms',
      '✓ achieved>99/s  12,346/s',
      '✓ 0 lost, reordered, misrouted, closed',
    ],
  );
});

test('outcomes are coloured where there are colours', () => {
  const paint = (outcome: string, text = outcome) => (outcome === '' ? text : `<${outcome}>${text}`);
  const text = formatSummary(result, { paint, isWide: false });
  assert.match(text, /^verdict +<undetermined>undetermined/m);
  assert.match(text, /<broken>✗ p99<250ms/);
  assert.match(text, /<held>✓ growth<50ms/);
});

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Second } from '../record/series.ts';
import type { Totals } from '../record/totals.ts';
import { defaultWorkload, type ResolvedWorkload } from '../workload.ts';
import { newProgress, type ProgressStyle, parseProgress } from './progress.ts';

const workload = { ...defaultWorkload, warmUpSeconds: 1, durationSeconds: 3, drainSeconds: 1 };
const second = {
  atSeconds: 1,
  sent: 50,
  deliveries: 12_345,
  sessionsOpen: 9,
  deliveryLatencyMsP50: 0.427,
  deliveryLatencyMsP99: 7.123,
  deliveryLatencyMsMax: 8,
  deliveryLatencyCounts: { first: 20, counts: [12_345] },
  scheduleLagMsP99: 1,
  instrumentCpuCores: 0.5,
} satisfies Second;

/** Everything that is written during a short run. */
function show(style: ProgressStyle, lost: number, { columns = 200, deliveries = 12_345 } = {}): string {
  const stream = Object.assign(new PassThrough(), { columns });
  const progress = newProgress(style, stream);
  progress.phase('connect');
  progress.progress(5, 0, 0);
  progress.step(workload as ResolvedWorkload);
  progress.phase('measure');
  progress.second('measure', { ...second, deliveries }, {} as Totals, lost);
  progress.phase('done');
  return stream.read()?.toString() ?? '';
}

test('plain progress is a line per event, and losses are named only if there are any', () => {
  const line = 'measure  3/5 s  50 sent/s  12,345 deliveries/s  p50 0.43 ms  p99 7.12 ms  9 open';
  assert.equal(show('plain', 0), `connect\nconnect  5 connected\nmeasure\n${line}\n`);
  assert.ok(show('plain', 4).endsWith(`${line}  4 lost\n`));
  const silent = show('plain', 0, { deliveries: 0 });
  assert.ok(silent.endsWith('  0 deliveries/s  9 open\n'), 'no latency without deliveries');
});

test('progress on a terminal redraws one line with a bar, and clears it at the end', () => {
  const text = show('tty', 0);
  assert.equal(text.includes('\n'), false);
  assert.match(text, /measure {2}\[============ {8}\] 3\/5 s/);
  assert.ok(text.endsWith('\r\x1b[2K'));
});

test('a line is never wider than the terminal: the bar goes first, losses stay', () => {
  const lines = (columns: number) =>
    show('tty', 2_539_000, { columns, deliveries: 12_200_000 }).split('\r\x1b[2K').filter(Boolean);
  const widths = (columns: number) => Math.max(...lines(columns).map((line) => line.length));
  assert.ok(widths(80) < 80);
  const rates = 'measure  3/5 s  50 sent/s  12,200,000 deliveries/s';
  assert.equal(lines(80).at(-1), `${rates}  p99 7.12 ms  2,539,000 lost`);
  assert.equal(lines(110).at(-1), `${rates}  p50 0.43 ms  p99 7.12 ms  9 open  2,539,000 lost`);
  assert.match(lines(70).at(-1)!, /^measure {2}3\/5 s {2}12,200,000 deliveries\/s .* lost$/);
  assert.match(lines(200).at(-1)!, /\[=+ +\].*lost$/);
  assert.ok(widths(20) < 20);
  assert.equal(lines(0).at(-1), lines(80).at(-1), 'a terminal without a size');
});

test('json progress is one event per line', () => {
  const events = show('json', 4).trim().split('\n').map(parseProgress);
  const names = events.map((event) => event?.event);
  assert.deepEqual(names, ['phase', 'progress', 'phase', 'second', 'phase']);
  assert.deepEqual(events[3], {
    event: 'second',
    phase: 'measure',
    atSeconds: 1,
    sessionsOpen: 9,
    sentPerSecond: 50,
    deliveriesPerSecond: 12_345,
    deliveryLatencyMsP50: 0.427,
    deliveryLatencyMsP99: 7.123,
    deliveryLatencyMsMax: 8,
    deliveryLatencyCounts: { first: 20, counts: [12_345] },
    instrumentCpuCores: 0.5,
    lost: 4,
  });
});

test('a line that is no whole event is not read as one', () => {
  for (const line of ['connect', '{"event":"listening"}', '{"event":"phase","pha'])
    assert.equal(parseProgress(line), undefined);
});

test('no progress writes nothing', () => {
  assert.equal(show('none', 4), '');
});

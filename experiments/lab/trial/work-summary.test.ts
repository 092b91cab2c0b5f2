import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsReading } from './readings.ts';
import { readServerMetrics } from './server-metrics.ts';
import { summarizeWork } from './work-summary.ts';

type Counters = { writes: number; partial: number; messages: number; bytes: number; gc: number };

/** As a server with these loops answers: active and idle seconds of each. */
function reading(atMs: number, name: string, counters: Counters, loops: [number, number][]): MetricsReading {
  const { writes, partial, messages, bytes, gc } = counters;
  const lines = loops.map(
    ([active, idle], loop) =>
      `chat_event_loop_active_seconds_total{loop="${loop}"} ${active}\n` +
      `chat_event_loop_idle_seconds_total{loop="${loop}"} ${idle}\n`,
  );
  const text = `# TYPE chat_writes_total counter
chat_writes_total ${writes}
chat_writes_partial_total ${partial}
chat_deliveries_total ${messages}
chat_messages_received_total ${writes}
chat_backplane_messages_read_total ${2 * writes}
chat_partition_entries_read_total ${writes}
chat_partition_entries_unused_total ${writes / 4}
chat_delivered_bytes_total ${bytes}
chat_gc_seconds_total{loop="0"} ${gc}
${lines.join('')}`;
  return { atMs, name, scrapeMs: 1, cpuMs: 1, metrics: readServerMetrics(text) };
}

const warmUp = { writes: 100, partial: 50, messages: 100, bytes: 10_000, gc: 0.5 };
const window = { fromMs: 1000, toMs: 4000 };

test('bytes and messages per write, partial writes and collections are those of the window, of all nodes', () => {
  const start = { writes: 1000, partial: 60, messages: 2000, bytes: 40_000, gc: 1 };
  const end = { writes: 1400, partial: 80, messages: 8000, bytes: 840_000, gc: 1.24 };
  const others = { writes: 500, partial: 0, messages: 500, bytes: 9000, gc: 0 };
  const work = summarizeWork(
    [
      reading(500, 'node-1', warmUp, [[0.1, 0.4]]),
      reading(1010, 'node-1', start, [[0.5, 0.5]]),
      reading(1010, 'node-2', others, [[0, 1]]),
      reading(4000, 'node-1', end, [[3.2, 0.8]]),
      reading(4000, 'node-2', { ...others, writes: 600 }, [[0.3, 3.7]]),
      reading(5000, 'node-1', { ...end, writes: 99_999 }, [[4.2, 0.8]]),
    ],
    window,
    2,
  );
  assert.deepEqual(work, {
    eventLoops: 2,
    evictions: 0,
    bytesPerWrite: 1600,
    messagesPerWrite: 12,
    messagesReadPerSaid: 2,
    unusedReadShare: 0.25,
    partialWriteShare: 0.04,
    eventLoopUtilization: 0.9,
    gcShare: 0.04,
  });
});

test('the utilization is that of the busiest loop of a node with several', () => {
  const { eventLoopUtilization } = summarizeWork(
    [
      reading(1000, 'node-1', warmUp, [
        [1, 1],
        [1, 1],
      ]),
      reading(3000, 'node-1', warmUp, [
        [1.5, 2.5],
        [2.6, 1.4],
      ]),
    ],
    window,
    1,
  );
  assert.equal(eventLoopUtilization, 0.8);
});

test('a node that answered once in the window is measured from its last answer before it', () => {
  const later = { ...warmUp, writes: 200, bytes: 20_000 };
  const before = reading(900, 'node-1', warmUp, [[1, 1]]);
  const after = reading(3900, 'node-1', later, [[3, 2]]);
  const { bytesPerWrite, eventLoopUtilization } = summarizeWork([before, after], window, 1);
  assert.deepEqual([bytesPerWrite, eventLoopUtilization], [100, 0.667]);
});

test('a server that does not answer, or does not count, has no figures', () => {
  const silent = { atMs: 2000, name: 'node-1', scrapeMs: null, cpuMs: null, metrics: null };
  const other = (atMs: number) => ({ ...silent, atMs, metrics: readServerMetrics('chat_sessions 4\n') });
  for (const readings of [[silent], [other(1000), silent, other(3000)]]) {
    const { eventLoops, bytesPerWrite, partialWriteShare, eventLoopUtilization, gcShare } = summarizeWork(
      readings,
      window,
      1,
    );
    assert.equal(eventLoops, 1);
    assert.deepEqual([bytesPerWrite, partialWriteShare, eventLoopUtilization, gcShare], Array(4).fill(null));
  }
});

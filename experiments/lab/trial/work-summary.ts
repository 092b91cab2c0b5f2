/** What the servers did in a window, from the growth of their own counters. Pure. */
import { sumOf, sumOrNull } from '../analysis/statistics.ts';
import type { ServerSummary } from '../records/schema.ts';
import { type MetricsReading, round } from './readings.ts';
import type { ServerMetrics } from './server-metrics.ts';

type Work = Pick<
  ServerSummary,
  | 'eventLoops'
  | 'evictions'
  | 'bytesPerWrite'
  | 'messagesPerWrite'
  | 'messagesReadPerSaid'
  | 'unusedReadShare'
  | 'partialWriteShare'
  | 'eventLoopUtilization'
  | 'gcShare'
>;

/** A node before a window, at its start (or before it, where it answered only once in it), and at its end. */
type Ends = { before: ServerMetrics | null; first: ServerMetrics | null; last: ServerMetrics };

type CounterName =
  | 'accepted'
  | 'backplaneRead'
  | 'entriesRead'
  | 'entriesUnused'
  | 'deliveries'
  | 'deliveredBytes'
  | 'writes'
  | 'partialWrites'
  | 'gcSeconds';

/** `nodes`: their number, which is that of the loops where a server does not report more. */
export function summarizeWork(
  metrics: readonly MetricsReading[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  nodes: number,
): Work {
  const ends = [...Map.groupBy(metrics, ({ name }) => name).values()].flatMap((readings) => {
    const answered = readings.filter(({ atMs, metrics }) => metrics !== null && atMs <= toMs);
    const before = answered.findLast(({ atMs }) => atMs <= fromMs)?.metrics ?? null;
    const last = answered.at(-1)?.metrics ?? null;
    const opening = answered.find(({ atMs }) => atMs >= fromMs)?.metrics ?? null;
    return last === null ? [] : [{ before, first: opening === last ? before : opening, last }];
  });
  const loopTimes = ends.flatMap(loopTimesOf);
  const loopSeconds = sumOf(loopTimes.map(({ activeSeconds, idleSeconds }) => activeSeconds + idleSeconds));
  const utilizations = loopTimes.flatMap(({ activeSeconds, idleSeconds }) => {
    const seconds = activeSeconds + idleSeconds;
    return seconds > 0 ? [activeSeconds / seconds] : [];
  });
  const grown = (counter: CounterName) =>
    sumOrNull(ends.map(({ first, last }) => growth(first?.[counter] ?? null, last[counter])));
  const writes = grown('writes');
  const perWrite = (counter: CounterName, digits: number) => ratio(grown(counter), writes, digits);
  return {
    eventLoops: Math.max(nodes, sumOf(ends.map(({ last }) => last.workersReady ?? 1))),
    // From the last reading before the window on, or from the start: an eviction must not fall between two.
    evictions: sumOf(ends.map(({ before, last }) => growth(before?.evictions ?? 0, last.evictions) ?? 0)),
    bytesPerWrite: perWrite('deliveredBytes', 0),
    messagesPerWrite: perWrite('deliveries', 2),
    messagesReadPerSaid: ratio(grown('backplaneRead'), grown('accepted'), 3),
    unusedReadShare: ratio(grown('entriesUnused'), grown('entriesRead'), 4),
    partialWriteShare: perWrite('partialWrites', 4),
    eventLoopUtilization: utilizations.length === 0 ? null : round(Math.max(...utilizations), 3),
    gcShare: ratio(grown('gcSeconds'), loopSeconds, 4),
  };
}

/** Of each loop that was there at both ends. */
function loopTimesOf({ first, last }: Ends) {
  return [...last.loops].flatMap(([loop, end]) => {
    const start = first?.loops.get(loop);
    if (start === undefined) return [];
    const activeSeconds = end.activeSeconds - start.activeSeconds;
    const idleSeconds = end.idleSeconds - start.idleSeconds;
    return [{ activeSeconds, idleSeconds }];
  });
}

/** Of a counter; 0 where it began anew. */
function growth(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}

function ratio(part: number | null, whole: number | null, digits: number): number | null {
  return part === null || whole === null || whole === 0 ? null : round(part / whole, digits);
}

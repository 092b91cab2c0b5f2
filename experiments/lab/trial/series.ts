/** Readings of a sampler as the series of a trial record. Pure. */
import type { NodeSample } from '../deployment/deployment.ts';
import type { MetricsSeries, NodeSeries } from '../records/schema.ts';
import { type MetricsReading, round, type UsageReading } from './readings.ts';

/** Readings that lie closer together, as at the ends of phases, are too close for CPU counters of 10 ms. */
const spacingMsMin = 125;

/** CPU and memory of one node or service; times in seconds from `originMs`. */
export function nodeSeriesOf(name: string, readings: readonly UsageReading[], originMs: number): NodeSeries {
  const values = { atSeconds: [], cpuCores: [], rssBytes: [], throttledShare: [] };
  const series: NodeSeries = { name, role: 'server', ...values };
  let before: { atMs: number; sample: NodeSample } | null = null;
  for (const { atMs, samples } of readings) {
    const sample = samples.find((candidate) => candidate.name === name);
    if (sample === undefined) continue;
    if (before !== null && atMs - before.atMs < spacingMsMin) continue;
    if (before !== null) {
      const seconds = (atMs - before.atMs) / 1000;
      series.role = sample.role;
      series.atSeconds.push(round((atMs - originMs) / 1000, 3));
      series.cpuCores.push(round(Math.max(0, sample.cpuSeconds - before.sample.cpuSeconds) / seconds, 3));
      series.rssBytes.push(sample.rssBytes);
      const throttled = sample.throttledSeconds;
      const throttledBefore = before.sample.throttledSeconds;
      const known = throttled !== null && throttledBefore !== null;
      series.throttledShare.push(known ? round((throttled - throttledBefore) / seconds, 3) : null);
    }
    before = { atMs, sample };
  }
  return series;
}

/** Metrics of one node. */
export function metricsSeriesOf(
  name: string,
  readings: readonly MetricsReading[],
  originMs: number,
): MetricsSeries {
  const own = readings.filter((reading) => reading.name === name);
  const gauge = (field: 'eventLoopLagMsP99' | 'heapUsedBytes' | 'sessions' | 'evictions') =>
    own.map(({ metrics }) => metrics?.[field] ?? null);
  return {
    name,
    atSeconds: own.map(({ atMs }) => round((atMs - originMs) / 1000, 3)),
    scrapeMs: own.map(({ scrapeMs }) => (scrapeMs === null ? null : round(scrapeMs, 1))),
    eventLoopLagMsP99: gauge('eventLoopLagMsP99'),
    heapUsedBytes: gauge('heapUsedBytes'),
    sessions: gauge('sessions'),
    evictions: gauge('evictions'),
  };
}

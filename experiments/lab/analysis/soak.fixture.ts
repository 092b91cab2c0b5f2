/** A long trial whose series are made up, for tests. */
import { loadtestFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { condense, type During } from './soak-series.ts';

/** Values at a second of the measure phase; those left out are constant. */
export type MadeUp = {
  seconds: number;
  p99?: (at: number) => number;
  heap?: (at: number) => number;
  rss?: (at: number) => number;
  files?: (at: number) => number | null;
  nodes?: number;
};

export function longTrial(made: MadeUp, changes: Partial<TrialRecord> = {}): TrialRecord {
  const {
    seconds,
    p99 = () => 60,
    heap = () => 30e6,
    rss = () => 90e6,
    files = () => 1020,
    nodes = 1,
  } = made;
  // With a warm-up and a drain, which must not count.
  const all = Array.from({ length: seconds + 8 }, (_, index) => index - 5);
  const each = <Value>(of: (at: number) => Value) => all.map(of);
  const base = loadtestFixture(5000, 60);
  const loadtest = {
    ...base,
    workload: { ...base.workload, durationSeconds: seconds, warmUpSeconds: 5, drainSeconds: 3 },
    series: {
      atSeconds: all,
      sentPerSecond: each(() => 5000),
      deliveriesPerSecond: each(() => 5e6),
      deliveryLatencyMsP50: each((at) => (at < 0 ? 9999 : 20)),
      deliveryLatencyMsP99: each((at) => (at < 0 || at >= seconds ? 9999 : p99(at))),
      deliveryLatencyMsMax: each(() => 100),
      scheduleLagMsP99: each(() => 1),
      instrumentCpuCores: each(() => 0.5),
      sessionsOpen: each(() => 1010),
    },
  };
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
  const series = { atSeconds: all, throttledShare: each(() => null), cpuCores: each(() => 0.5) };
  const blank = each(() => null);
  return trialFixture(1, 5000, 60, {
    purpose: 'soak',
    loadtest,
    nodes: [
      ...names.map((name) => ({ name, role: 'server' as const, ...series, rssBytes: each(rss) })),
      { name: 'redis', role: 'redis' as const, ...series, rssBytes: each(() => 5e9) },
    ],
    metrics: names.map((name) => ({
      ...{
        name,
        atSeconds: all,
        scrapeMs: blank,
        eventLoopLagMsP99: blank,
        sessions: blank,
        evictions: blank,
      },
      ...{ heapUsedBytes: each(heap), openFiles: each(files) },
    })),
    ...changes,
  });
}

/** Nothing is known of any second. */
export const unknown: During = () => null;

/** A run of one variant with these long trials, condensed. */
export function soakRun(trials: readonly TrialRecord[], during = unknown): LoadRun {
  return runFixture(
    [variantFixture('03-cursor')],
    trials.map((trial, index) => ({
      ...condense(trial, 250, during),
      number: index + 1,
      variant: '03-cursor',
    })),
    { shape: 'soak', method: { kind: 'soak', minutes: 20, shares: [0.5, 0.8], loads: [] } },
  );
}

/** A long trial in windows, and its tips: what is kept of its series. Pure. */
import type { ServerSummary, TrialRecord } from '../records/schema.ts';
import type { SoakSeries, Tip, TipBeginning } from '../records/soak-schema.ts';
import { medianOf, sumOf } from './statistics.ts';

/** Half a minute; less where the trial is short, and more where there would be too many windows. */
const windowSecondsUsual = 30;
const windowsMin = 40;
const windowsMax = 480;
/** Seconds in a row that hold the limit end a tip. Chosen, not measured. */
const heldSeconds = 3;
/** Kept in full; the others are only counted. */
const tipsMax = 50;

type Timed = readonly (readonly [atSeconds: number, value: number])[];

/** What servers and machine did between two seconds of the measure phase; null where it is not known. */
export type During = (fromSeconds: number, toSeconds: number) => ServerSummary | null;

/**
 * The trial with `soak` instead of its series, and unchanged where it has no result. `limitMs`: of the p99 of
 * delivery latency; null for no such limit, and no tips.
 */
export function condense(trial: TrialRecord, limitMs: number | null, during: During): TrialRecord {
  const { loadtest } = trial;
  if (loadtest === null) return { ...trial, nodes: [], metrics: [] };
  const { series, workload } = loadtest;
  const measured = series.atSeconds.flatMap((at, index) => {
    return at >= 0 && at < workload.durationSeconds ? [index] : [];
  });
  const seconds = measured.map((index) => series.atSeconds[index]!);
  const column = (values: readonly number[]): Timed =>
    measured.map((index) => [series.atSeconds[index]!, values[index]!]);
  const p99 = column(series.deliveryLatencyMsP99);
  const starts = startsOf((seconds.at(-1) ?? -1) + 1);
  const windowSeconds = (starts[1] ?? workload.durationSeconds) - (starts[0] ?? 0);
  const inWindows = (points: Timed, pick: (values: number[]) => number) => {
    const windows = Map.groupBy(points, ([at]) => Math.floor(at / windowSeconds));
    return starts.map((_, window) => {
      const values = windows.get(window)?.map(([, value]) => value);
      return values === undefined ? null : pick(values);
    });
  };
  const ofNodes = (nodes: readonly Timed[], pick: (values: number[]) => number) =>
    addUp(
      nodes.map((points) => inWindows(points, pick)),
      starts.length,
    );
  const gauges = (field: 'heapUsedBytes' | 'openFiles') =>
    trial.metrics.map(({ atSeconds, [field]: values }) => known(atSeconds, values ?? []));
  const servers = trial.nodes.filter(({ role }) => role === 'server');
  const tips = limitMs === null ? [] : tipsOf(p99, limitMs);
  const soak: SoakSeries = {
    windowSeconds,
    atSeconds: starts,
    latencyMsP50: inWindows(column(series.deliveryLatencyMsP50), medianOf),
    latencyMsP99: inWindows(p99, (values) => Math.max(...values)),
    heapBytes: ofNodes(gauges('heapUsedBytes'), (values) => Math.min(...values)),
    rssBytes: ofNodes(
      servers.map(({ atSeconds, rssBytes }) => known(atSeconds, rssBytes)),
      medianOf,
    ),
    openFiles: ofNodes(gauges('openFiles'), medianOf),
    tips: tips.slice(0, tipsMax).map((tip) => ({ ...tip, ...beginningOf(tip, during) })),
    tipCount: tips.length,
  };
  const emptied = Object.fromEntries(Object.keys(series).map((field) => [field, []]));
  return {
    ...trial,
    soak,
    nodes: [],
    metrics: [],
    loadtest: { ...loadtest, series: emptied as unknown as typeof series },
  };
}

/** Times in which the p99 was above the limit, and how long until it held for some seconds again. */
export function tipsOf(p99: Timed, limitMs: number): Tip[] {
  const tips: Tip[] = [];
  let held = heldSeconds;
  for (const [at, value] of p99) {
    const tip = tips.at(-1);
    if (value < limitMs) {
      held += 1;
      if (held === heldSeconds && tip !== undefined) tip.seconds = at + 1 - heldSeconds - tip.atSeconds;
      continue;
    }
    if (tip === undefined || tip.seconds !== null) tips.push({ atSeconds: at, seconds: null, p99Ms: value });
    else tip.p99Ms = Math.max(tip.p99Ms, value);
    held = 0;
  }
  return tips;
}

/** The second before counts too: what is late in one second was held up in that or the one before. */
function beginningOf({ atSeconds }: Tip, during: During): { began?: TipBeginning } {
  const seen = during(atSeconds - 1, atSeconds + 1);
  if (seen === null) return {};
  const { gcShare = null, besideServerCpuCores = null } = seen;
  return { began: { gcShare, besideServerCpuCores } };
}

function startsOf(durationSeconds: number): number[] {
  const wanted = Math.min(windowSecondsUsual, durationSeconds / windowsMin);
  const windowSeconds = Math.max(1, Math.floor(wanted), Math.ceil(durationSeconds / windowsMax));
  const count = Math.floor(durationSeconds / windowSeconds);
  return Array.from({ length: count }, (_, index) => index * windowSeconds);
}

/** Without the readings that failed; a kernel that does not count descriptors says 0. */
function known(atSeconds: readonly number[], values: readonly (number | null)[]): Timed {
  return values.flatMap((value, index) => (value ? [[atSeconds[index]!, value] as const] : []));
}

/** Window by window; null where one node has none. */
function addUp(nodes: readonly (readonly (number | null)[])[], windows: number): (number | null)[] {
  return Array.from({ length: windows }, (_, window) => {
    const values = nodes.flatMap((node) => node[window] ?? []);
    if (values.length === 0 || values.length < nodes.length) return null;
    return sumOf(values);
  });
}

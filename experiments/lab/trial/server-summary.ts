/** What the servers of a trial used, and what else the machine did meanwhile, from readings. Pure. */
import { coresBetween } from '#host/cpu.ts';
import { meanOf } from '../analysis/statistics.ts';
import type { NodeSample } from '../deployment/deployment.ts';
import { type Pins, parseCpuList } from '../deployment/pinning.ts';
import type { ServerSummary } from '../records/schema.ts';
import { isServer, type MetricsReading, round, type UsageReading, within } from './readings.ts';
import { summarizeWork } from './work-summary.ts';

/** `idle` is the first reading, `usage` and `metrics` those from before the window to its end or later. */
export type Readings = {
  idle: UsageReading;
  usage: readonly UsageReading[];
  metrics: readonly MetricsReading[];
};

export type Window = { fromMs: number; toMs: number };

export type DeploymentFacts = {
  nodes: number;
  pins: Pins | undefined;
  /** As the simulator reports it: used where the readings do not have it. */
  simulatorCpuSeconds: number;
};

/** Sums over the server nodes in a window; null when fewer than two readings lie in it. */
export function summarize(
  { idle, usage, metrics }: Readings,
  window: Window,
  facts: DeploymentFacts,
): ServerSummary | null {
  const { fromMs, toMs } = window;
  const taken = within(usage, fromMs, toMs);
  const [first, last] = [taken[0], taken.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const seconds = (last.atMs - first.atMs) / 1000;
  const grown = (field: SampleField, counts = isServer) =>
    sumOf(last.samples.filter(counts), field) - sumOf(first.samples.filter(counts), field);
  const throttledKnown = last.samples.some((sample) => sample.throttledSeconds !== null);
  const delayKnown = last.samples.some((sample) => sample.runDelaySeconds !== undefined);
  const rssBytes = ({ samples }: UsageReading) => sumOf(samples.filter(isServer), 'rssBytes');
  const answers = within(metrics, fromMs, toMs);
  const scrapeCpuMs = answers.flatMap(({ cpuMs }) => cpuMs ?? []);
  return {
    cpuCores: round(grown('cpuSeconds') / seconds, 3),
    ...surroundings(first, last, facts),
    serviceCpuCores: round(grown('cpuSeconds', (sample) => !isServer(sample)) / seconds, 3),
    // Threads that ended take their time with them.
    ...(delayKnown && { runDelayCores: round(Math.max(0, grown('runDelaySeconds')) / seconds, 3) }),
    processes: sumOf(last.samples.filter(isServer), 'processes'),
    rssIdleBytes: rssBytes(idle),
    rssMaxBytes: Math.max(...taken.map(rssBytes)),
    throttledShare: throttledKnown ? round(grown('throttledSeconds') / seconds, 3) : null,
    eventLoopLagMsP99: maxOrNull(answers.flatMap(({ metrics }) => metrics?.eventLoopLagMsP99 ?? [])),
    scrapeMsMax: maxOrNull(answers.flatMap(({ scrapeMs }) => (scrapeMs === null ? [] : round(scrapeMs, 1)))),
    scrapeCpuMs: scrapeCpuMs.length === 0 ? null : round(meanOf(scrapeCpuMs), 3),
    ...summarizeWork(metrics, window, facts.nodes),
  };
}

/**
 * The CPU of everything but the trial. What is subtracted from the machine's busy time contains the softirqs
 * of loopback traffic, as the busy time does (host/cpu.ts).
 */
function surroundings(
  first: UsageReading,
  last: UsageReading,
  { pins, simulatorCpuSeconds }: DeploymentFacts,
) {
  const seconds = last.host.atSeconds - first.host.atSeconds;
  const cores = (from: number, to: number) => (to - from) / seconds;
  const labCpuCores = cores(first.host.labSeconds, last.host.labSeconds);
  const machine = coresBetween(first.host, last.host);
  if (machine === null) return { otherCpuCores: null, labCpuCores: round(labCpuCores, 3) };
  const counted = (counts: (sample: NodeSample) => boolean) =>
    cores(
      sumOf(first.samples.filter(counts), 'cpuSeconds'),
      sumOf(last.samples.filter(counts), 'cpuSeconds'),
    );
  const [seen, seenLast] = [first.simulatorCpuSeconds, last.simulatorCpuSeconds];
  const simulatorCores =
    seen === null || seenLast === null ? simulatorCpuSeconds / seconds : cores(seen, seenLast);
  const otherCores = machine.busyCores - counted(() => true) - simulatorCores - labCpuCores;
  const beside = (lists: readonly (string | undefined)[], ownCores: number) => {
    const cpus = lists.flatMap((list) => (list === undefined ? [] : parseCpuList(list)));
    const used = coresBetween(first.host, last.host, cpus)!;
    return cpus.length === 0 ? null : round(Math.max(0, used.busyCores - ownCores) + used.stealCores, 3);
  };
  return {
    otherCpuCores: round(Math.max(0, otherCores), 3),
    stealCpuCores: round(machine.stealCores, 3),
    labCpuCores: round(labCpuCores, 3),
    interruptCpuCores: round(machine.interruptCores, 3),
    besideServerCpuCores: pins === undefined ? null : beside(pins.servers, counted(isServer)),
    besideSimulatorCpuCores: pins === undefined ? null : beside([pins.simulator], simulatorCores),
  };
}

type SampleField = 'cpuSeconds' | 'rssBytes' | 'processes' | 'throttledSeconds' | 'runDelaySeconds';

function sumOf(samples: readonly NodeSample[], field: SampleField): number {
  return samples.reduce((sum, sample) => sum + (sample[field] ?? 0), 0);
}

function maxOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

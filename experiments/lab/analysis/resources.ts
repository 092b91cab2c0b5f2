/** The resources that can bound a server, and how much of each a trial used as a share of it. Pure. */
import type { BoundName, TrialRecord } from '../records/schema.ts';
import { instrumentCores } from './cpu.ts';
import { meanOf, sumOrNull } from './statistics.ts';

export type Resource = {
  /** As a bound. */
  name: BoundName;
  /** Of the share, in a sentence. */
  label: string;
  /** From this share on it is near its end. */
  nearEnd: number;
  /** The share used in the measure phase; null where the trial does not tell. */
  use(trial: TrialRecord): number | null;
};

/**
 * The first that separates failed from passed trials names the bound, so what is the cause of another comes
 * before it: a quota, and collections, keep an event loop from being idle.
 *
 * The shares near an end are chosen, not measured. At nine tenths of its core a loop queues about ten times
 * its service time (M/M/1). A quota that holds back a twentieth of the time adds milliseconds of its own.
 */
export const resources: readonly Resource[] = [
  { name: 'CPU quota', label: 'time held back by the quota', nearEnd: 0.05, use: throttled },
  { name: 'CPU quota', label: 'CPU quota', nearEnd: 0.9, use: useOfQuota },
  { name: 'memory', label: 'memory limit', nearEnd: 0.9, use: useOfMemory },
  { name: 'machine', label: 'the cores that the event loops share', nearEnd: 0.9, use: useOfSharedCores },
  { name: 'Redis', label: 'Redis’ core', nearEnd: 0.9, use: useOfRedis },
  { name: 'garbage collection', label: 'garbage collection', nearEnd: 0.1, use: timeInCollections },
  { name: 'event loop', label: 'event loop', nearEnd: 0.9, use: useOfLoop },
  { name: 'machine', label: 'all cores of the machine', nearEnd: 0.93, use: useOfMachine },
];

function throttled({ server }: TrialRecord): number | null {
  return server?.throttledShare ?? null;
}

/** A quota of a core for each event loop or more holds nothing back: there the loops end first. */
function useOfQuota({ server, observedLimits }: TrialRecord): number | null {
  const quotaCores = sumOrNull(observedLimits.map(({ cpuCores }) => cpuCores));
  const isTight = quotaCores !== null && quotaCores < (server?.eventLoops ?? observedLimits.length);
  return isTight ? shareOf(server?.cpuCores, quotaCores) : null;
}

function useOfMemory({ server, observedLimits }: TrialRecord): number | null {
  return shareOf(server?.rssMaxBytes, sumOrNull(observedLimits.map(({ memoryBytes }) => memoryBytes)));
}

/** Of pinned CPUs that are fewer than the event loops on them. */
function useOfSharedCores({ server, pinnedServerCores = null }: TrialRecord): number | null {
  const isShared = pinnedServerCores !== null && pinnedServerCores < (server?.eventLoops ?? 1);
  return isShared ? shareOf(server?.cpuCores, pinnedServerCores) : null;
}

/** It runs commands in one thread. A trial without series has only the sum of all services. */
function useOfRedis({ server, nodes, loadtest }: TrialRecord): number | null {
  const series = nodes.find(({ role }) => role === 'redis');
  if (series === undefined) return server?.serviceCpuCores ? server.serviceCpuCores : null;
  const endSeconds = loadtest?.workload.durationSeconds ?? Number.POSITIVE_INFINITY;
  const measured = series.cpuCores.filter((_, index) => {
    const atSeconds = series.atSeconds[index]!;
    return atSeconds > 0 && atSeconds <= endSeconds;
  });
  return measured.length === 0 ? null : meanOf(measured);
}

function timeInCollections({ server }: TrialRecord): number | null {
  return server?.gcShare ?? null;
}

/** Time in which it was not idle; where the server does not count that, its CPU, as a mean over all loops. */
function useOfLoop({ server }: TrialRecord): number | null {
  if (server === null) return null;
  return server.eventLoopUtilization ?? server.cpuCores / (server.eventLoops ?? 1);
}

/** Where nothing is pinned or limited: else the simulator counts only the cores that it has itself. */
function useOfMachine({ server, loadtest, pinnedServerCores = null }: TrialRecord): number | null {
  if (server === null || loadtest === null || pinnedServerCores !== null) return null;
  if (loadtest.environment.cgroupCpuCores !== null) return null;
  const { cpuCores, serviceCpuCores, otherCpuCores, labCpuCores = 0 } = server;
  const all = cpuCores + serviceCpuCores + (otherCpuCores ?? 0) + labCpuCores + instrumentCores(loadtest);
  return all / loadtest.environment.cpus;
}

function shareOf(used: number | undefined, available: number | null): number | null {
  return used === undefined || available === null ? null : used / available;
}

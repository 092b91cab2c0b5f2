/**
 * How much a container uses, seen from outside. The engine collects its statistics once a second and answers
 * only after that; where the engine runs on this machine, its cgroup is read instead.
 */
import { type ReadText, readCgroupOf } from '#host/cgroup.ts';

/** Counters grow from the start of the container. */
export type ContainerUsage = {
  cpuSeconds: number;
  /** Anonymous memory: it cannot be dropped, and counts towards the limit whatever the page cache does. */
  rssBytes: number;
  throttledSeconds: number;
  running: boolean;
};

/** The part of the engine's statistics that is read; those of a stopped container are empty. */
export type EngineStats = {
  cpu_stats: { cpu_usage: { total_usage: number }; throttling_data: { throttled_time: number } };
  memory_stats: { usage?: number; stats?: Readonly<Record<string, number>> };
  pids_stats: { current?: number };
};

/** Reads one answer of the engine's `stats`, of cgroup v1 (total_rss) or v2 (anon). */
export function usageOf({ cpu_stats: cpu, memory_stats: memory, pids_stats }: EngineStats): ContainerUsage {
  return {
    cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
    rssBytes: memory.stats?.total_rss ?? memory.stats?.anon ?? memory.usage ?? 0,
    throttledSeconds: cpu.throttling_data.throttled_time / 1e9,
    running: (pids_stats.current ?? 0) > 0,
  };
}

/** Reads the cgroup of a main process; undefined once that has ended, and where it is on another machine. */
export function usageOfProcess(
  pid: number,
  containerId: string,
  read?: ReadText,
): ContainerUsage | undefined {
  const cgroup = readCgroupOf(pid, containerId, read);
  if (cgroup === undefined) return undefined;
  return {
    cpuSeconds: cgroup.cpuSecondsTotal ?? 0,
    rssBytes: cgroup.memoryAnonymousBytes ?? 0,
    throttledSeconds: cgroup.cpuThrottledSecondsTotal,
    running: true,
  };
}

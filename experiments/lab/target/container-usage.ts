/** What the engine says a container has used, from cgroup v1 or v2. */

/** The part of the engine's statistics that is read; a stopped container has empty ones. */
export type EngineStats = {
  cpu_stats: {
    cpu_usage: { total_usage: number };
    throttling_data: { periods: number; throttled_periods: number; throttled_time: number };
  };
  memory_stats: { usage?: number; limit?: number; stats?: Readonly<Record<string, number>> };
  pids_stats: { current?: number };
};

/** Counters grow from the start of the container. */
export type BoxUsage = {
  cpuSeconds: number;
  /** Anonymous memory: what cannot be dropped, and counts towards the limit whatever the page cache does. */
  rssBytes: number;
  throttledSeconds: number;
  /** The engine's view of the limit; null where the container may use all of the machine's memory. */
  memoryLimitBytes: number | null;
  running: boolean;
};

/** A limit larger than any machine is how cgroup v1 writes "none". */
const unlimitedBytes = 2 ** 60;

/** Reads one answer of the engine's `stats`. */
export function usageOf(stats: EngineStats): BoxUsage {
  const { cpu_stats: cpu, memory_stats: memory } = stats;
  const limit = memory.limit ?? unlimitedBytes;
  return {
    cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
    // cgroup v1 calls it total_rss, v2 anon.
    rssBytes: memory.stats?.total_rss ?? memory.stats?.anon ?? memory.usage ?? 0,
    throttledSeconds: cpu.throttling_data.throttled_time / 1e9,
    memoryLimitBytes: limit >= unlimitedBytes ? null : limit,
    running: (stats.pids_stats.current ?? 0) > 0,
  };
}

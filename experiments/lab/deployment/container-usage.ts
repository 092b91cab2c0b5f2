/**
 * What a container has used, seen from outside. The engine's own statistics are collected once a second and keep the
 * caller waiting for that; where the engine runs on this machine, the files that it reads are read here directly.
 */
import { readFileSync } from 'node:fs';

/** Counters grow from the start of the container. */
export type BoxUsage = {
  cpuSeconds: number;
  /** Anonymous memory: what cannot be dropped, and counts towards the limit whatever the page cache does. */
  rssBytes: number;
  throttledSeconds: number;
  running: boolean;
};

/** The part of the engine's statistics that is read; a stopped container has empty ones. */
export type EngineStats = {
  cpu_stats: { cpu_usage: { total_usage: number }; throttling_data: { throttled_time: number } };
  memory_stats: { usage?: number; stats?: Readonly<Record<string, number>> };
  pids_stats: { current?: number };
};

/** Text of a file; undefined where there is none (any more). */
export type ReadText = (path: string) => string | undefined;

const readFile: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The container has ended, or its engine is on another machine.
  }
};

/** Reads one answer of the engine's `stats`, of cgroup v1 or v2. */
export function usageOf(stats: EngineStats): BoxUsage {
  const { cpu_stats: cpu, memory_stats: memory } = stats;
  return {
    cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
    // cgroup v1 calls it total_rss, v2 anon.
    rssBytes: memory.stats?.total_rss ?? memory.stats?.anon ?? memory.usage ?? 0,
    throttledSeconds: cpu.throttling_data.throttled_time / 1e9,
    running: (stats.pids_stats.current ?? 0) > 0,
  };
}

/**
 * A reader of the cgroup that the process `pid` of this machine is in; it answers undefined once the container has
 * ended. Undefined where the cgroup cannot be seen from here. `read` is for tests.
 */
export function cgroupUsage(
  pid: number,
  containerId: string,
  read: ReadText = readFile,
): (() => BoxUsage | undefined) | undefined {
  const lines = read(`/proc/${pid}/cgroup`)?.split('\n') ?? [];
  // On another machine the same number would be another process.
  if (!lines.some((line) => line.includes(containerId))) return undefined;
  const pathOf = (controller: string) =>
    lines
      .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
      .find((part) => part?.[1]?.split(',').includes(controller))?.[2];
  const usage = pathOf('memory') === undefined ? usageV2(pathOf('') ?? '/', read) : usageV1(pathOf, read);
  return usage() === undefined ? undefined : usage;
}

function usageV1(pathOf: (controller: string) => string | undefined, read: ReadText) {
  const file = (controller: string, name: string) =>
    read(`/sys/fs/cgroup/${controller}${pathOf(controller)}/${name}`);
  return (): BoxUsage | undefined => {
    const [cpu, memory] = [file('cpuacct', 'cpuacct.usage'), file('memory', 'memory.stat')];
    if (cpu === undefined || memory === undefined) return undefined;
    return {
      cpuSeconds: Number(cpu) / 1e9,
      rssBytes: field(memory, 'total_rss'),
      throttledSeconds: field(file('cpu', 'cpu.stat') ?? '', 'throttled_time') / 1e9,
      running: true,
    };
  };
}

function usageV2(path: string, read: ReadText) {
  return (): BoxUsage | undefined => {
    const cpu = read(`/sys/fs/cgroup${path}/cpu.stat`);
    const memory = read(`/sys/fs/cgroup${path}/memory.stat`);
    if (cpu === undefined || memory === undefined) return undefined;
    return {
      cpuSeconds: field(cpu, 'usage_usec') / 1e6,
      rssBytes: field(memory, 'anon'),
      throttledSeconds: field(cpu, 'throttled_usec') / 1e6,
      running: true,
    };
  };
}

function field(text: string, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

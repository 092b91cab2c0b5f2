/** Where a measurement was made: the machine, the container around it, and the code. Read once, or before and after a phase. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { LoadtestResult } from './schema.ts';

/** What a cgroup says about this process; null where there is no limit or no cgroup. */
export type Cgroup = { cpuCores: number | null; memoryBytes: number | null; throttledUs: number };

/** The environment as a result file keeps it. */
export function readEnvironment(): LoadtestResult['environment'] {
  const cgroup = readCgroup();
  const status = git(['status', '--porcelain', '--untracked-files=no']);
  return {
    node: process.version,
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    cpuModel: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    cgroupCpuCores: cgroup.cpuCores,
    cgroupMemoryBytes: cgroup.memoryBytes,
    gitCommit: git(['rev-parse', 'HEAD']),
    gitDirty: status === null ? null : status !== '',
  };
}

/** The limits of this process's cgroup (v2 or v1) and how long it has been throttled since it began. */
export function readCgroup(readText: (path: string) => string | null = readTextFile): Cgroup {
  const own = readText('/proc/self/cgroup') ?? '';
  return readCgroupV2(own, readText) ?? readCgroupV1(own, readText);
}

function readCgroupV2(own: string, readText: (path: string) => string | null): Cgroup | undefined {
  const path = /^0::(.*)$/m.exec(own)?.[1];
  if (path === undefined) return undefined;
  // In a container with a cgroup namespace of its own, the path is `/` and the files lie at the root.
  for (const directory of [`/sys/fs/cgroup${path}`, '/sys/fs/cgroup']) {
    const stat = readText(`${directory}/cpu.stat`);
    if (stat === null) continue;
    const [quota, period] = (readText(`${directory}/cpu.max`) ?? 'max 100000').trim().split(' ');
    const memory = Number((readText(`${directory}/memory.max`) ?? 'max').trim());
    return {
      cpuCores: quota === 'max' ? null : Number(quota) / Number(period),
      memoryBytes: Number.isFinite(memory) ? memory : null,
      throttledUs: Number(/^throttled_usec (\d+)$/m.exec(stat)?.[1] ?? 0),
    };
  }
  return undefined;
}

function readCgroupV1(own: string, readText: (path: string) => string | null): Cgroup {
  const read = (controller: string, file: string): string | null => {
    const path = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1] ?? '/';
    return (
      readText(`/sys/fs/cgroup/${controller}${path}/${file}`) ??
      readText(`/sys/fs/cgroup/${controller}/${file}`)
    );
  };
  const quotaUs = Number(read('cpu', 'cpu.cfs_quota_us') ?? -1);
  const periodUs = Number(read('cpu', 'cpu.cfs_period_us') ?? 100_000);
  const memory = Number(read('memory', 'memory.limit_in_bytes') ?? Number.NaN);
  const throttledNs = /^throttled_time (\d+)$/m.exec(read('cpu', 'cpu.stat') ?? '')?.[1];
  return {
    cpuCores: quotaUs > 0 ? quotaUs / periodUs : null,
    // Version 1 writes a number near 2^63 for "no limit".
    memoryBytes: memory < 2 ** 60 ? memory : null,
    throttledUs: Number(throttledNs ?? 0) / 1000,
  };
}

/** The number of files this process may open (soft limit), or null where the system does not say. */
export function readFilesMax(): number | null {
  const limit = /^Max open files\s+(\d+)/m.exec(readTextFile('/proc/self/limits') ?? '')?.[1];
  return limit === undefined ? null : Number(limit);
}

/** Local ports that one source address may use towards one destination, or null where the system does not say. */
export function readEphemeralPorts(): number | null {
  const range = /^(\d+)\s+(\d+)/.exec(readTextFile('/proc/sys/net/ipv4/ip_local_port_range') ?? '');
  return range === null ? null : Number(range[2]) - Number(range[1]) + 1;
}

function readTextFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // Not every system has the file; the caller says what that means.
  }
}

function git(args: string[]): string | null {
  try {
    return execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    }).trim();
  } catch {
    return null; // An image holds no repository.
  }
}

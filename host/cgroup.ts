/** The limits and the throttling that the kernel really applies to this process, from cgroup v2 or v1. */
import { readFileSync } from 'node:fs';

export type CgroupReading = {
  /** CPU quota in cores; undefined where there is none. */
  readonly cpuLimitCores: number | undefined;
  readonly cpuPeriodsTotal: number;
  readonly cpuThrottledPeriodsTotal: number;
  readonly cpuThrottledSecondsTotal: number;
  readonly memoryBytes: number | undefined;
  /** Memory limit in bytes; undefined where there is none. */
  readonly memoryLimitBytes: number | undefined;
};

export type ReadText = (path: string) => string | undefined;

const readFile: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The file is of the other cgroup version, or there is no cgroup file system.
  }
};

/** A limit larger than any machine is how cgroup v1 writes "none". */
const unlimitedBytes = 2 ** 60;

/** The number behind a key in a `key value` file such as cpu.stat; 0 where it is absent. */
function field(text: string | undefined, key: string): number {
  const match = text === undefined ? null : new RegExp(`^${key} (\\d+)$`, 'm').exec(text);
  return match ? Number(match[1]) : 0;
}

function bytes(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text.trim());
  return Number.isFinite(value) && value < unlimitedBytes ? value : undefined;
}

/** The folder of this process below a controller's mount; in a container with its own namespace it is `/`. */
function ownPath(controllers: string | undefined, controller: string): string {
  for (const line of (controllers ?? '').split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== undefined && (controller === '' ? names === '' : names!.split(',').includes(controller)))
      return path;
  }
  return '/';
}

/** First text that exists: the process's own folder, else the mount's root, which is what a container sees. */
function firstOf(read: ReadText, mount: string, path: string, file: string): string | undefined {
  return (path === '/' ? undefined : read(`${mount}${path}/${file}`)) ?? read(`${mount}/${file}`);
}

/** Reads the cgroup of this process; undefined where there is none. `read` is for tests. */
export function readCgroup(read: ReadText = readFile): CgroupReading | undefined {
  const controllers = read('/proc/self/cgroup');
  return readV2(read, controllers) ?? readV1(read, controllers);
}

function readV2(read: ReadText, controllers: string | undefined): CgroupReading | undefined {
  const path = ownPath(controllers, '');
  const stat = firstOf(read, '/sys/fs/cgroup', path, 'cpu.stat');
  if (stat === undefined || !stat.includes('usage_usec')) return undefined;
  const [quota, period] = (firstOf(read, '/sys/fs/cgroup', path, 'cpu.max') ?? 'max 100000')
    .trim()
    .split(' ');
  return {
    cpuLimitCores: quota === 'max' ? undefined : Number(quota) / Number(period),
    cpuPeriodsTotal: field(stat, 'nr_periods'),
    cpuThrottledPeriodsTotal: field(stat, 'nr_throttled'),
    cpuThrottledSecondsTotal: field(stat, 'throttled_usec') / 1e6,
    memoryBytes: bytes(firstOf(read, '/sys/fs/cgroup', path, 'memory.current')),
    memoryLimitBytes: bytes(firstOf(read, '/sys/fs/cgroup', path, 'memory.max')),
  };
}

function readV1(read: ReadText, controllers: string | undefined): CgroupReading | undefined {
  const cpu = ownPath(controllers, 'cpu');
  const memory = ownPath(controllers, 'memory');
  const stat = firstOf(read, '/sys/fs/cgroup/cpu', cpu, 'cpu.stat');
  if (stat === undefined) return undefined;
  const quotaUs = Number(firstOf(read, '/sys/fs/cgroup/cpu', cpu, 'cpu.cfs_quota_us') ?? '-1');
  const periodUs = Number(firstOf(read, '/sys/fs/cgroup/cpu', cpu, 'cpu.cfs_period_us') ?? '100000');
  return {
    cpuLimitCores: quotaUs > 0 ? quotaUs / periodUs : undefined,
    cpuPeriodsTotal: field(stat, 'nr_periods'),
    cpuThrottledPeriodsTotal: field(stat, 'nr_throttled'),
    cpuThrottledSecondsTotal: field(stat, 'throttled_time') / 1e9,
    memoryBytes: bytes(firstOf(read, '/sys/fs/cgroup/memory', memory, 'memory.usage_in_bytes')),
    memoryLimitBytes: bytes(firstOf(read, '/sys/fs/cgroup/memory', memory, 'memory.limit_in_bytes')),
  };
}

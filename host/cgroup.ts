/**
 * The limits and the throttling that the kernel really applies to a process, from cgroup v2 or v1. A limit of
 * any folder between the process's own and the root of the mount holds, so the smallest of them counts.
 */
import { readFileSync } from 'node:fs';

export type CgroupReading = {
  /** Smallest CPU quota on the way up, in cores; undefined where there is none. */
  readonly cpuLimitCores: number | undefined;
  /** CPU time of the whole cgroup since it was made; undefined where it is not counted. */
  readonly cpuSecondsTotal: number | undefined;
  /**
   * Enforcement periods and throttling: of all folders that have a quota together, because each of them can
   * hold the process back; of the own folder where none has.
   */
  readonly cpuPeriodsTotal: number;
  readonly cpuThrottledPeriodsTotal: number;
  readonly cpuThrottledSecondsTotal: number;
  /** Memory in use, page cache included. */
  readonly memoryBytes: number | undefined;
  /** Memory in use that cannot be dropped: without the page cache. */
  readonly memoryAnonymousBytes: number | undefined;
  /** Smallest memory limit on the way up; undefined where there is none. */
  readonly memoryLimitBytes: number | undefined;
};

/** Text of a file; undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

const readFile: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The file is of the other cgroup version, or the process has ended.
  }
};

const mount = '/sys/fs/cgroup';
/** A limit larger than any machine is how cgroup v1 writes "none". */
const unlimitedBytes = 2 ** 60;

/** Reads the cgroup of this process; undefined where there is none. `read` is for tests. */
export function readCgroup(read: ReadText = readFile): CgroupReading | undefined {
  const membership = read('/proc/self/cgroup') ?? '';
  return readV2(read, membership) ?? readV1(read, membership);
}

/**
 * Reads the cgroup of another process of this machine; undefined once that has ended, and where its folder
 * does not contain `name`, so that a process of the same number on another machine is not taken for it.
 */
export function readCgroupOf(
  pid: number,
  name: string,
  read: ReadText = readFile,
): CgroupReading | undefined {
  const membership = read(`/proc/${pid}/cgroup`) ?? '';
  if (!membership.includes(name)) return undefined;
  // Without its own folder the walk upwards would find the figures of others.
  const own =
    read(`${mount}${ownFolder(membership, '')}/cpu.stat`) ??
    read(`${mount}/cpuacct${ownFolder(membership, 'cpuacct')}/cpuacct.usage`);
  return own === undefined ? undefined : (readV2(read, membership) ?? readV1(read, membership));
}

/** What one folder says about CPU; both versions are read into this. */
type CpuFolder = {
  quotaCores: number | undefined;
  periods: number;
  throttled: number;
  throttledSeconds: number;
};

function readV2(read: ReadText, membership: string): CgroupReading | undefined {
  const folders = foldersUp(mount, ownFolder(membership, ''));
  const stat = firstText(read, folders, 'cpu.stat');
  if (stat === undefined || !stat.includes('usage_usec')) return undefined;
  const cpu = folders.flatMap((folder): CpuFolder[] => {
    const text = read(`${folder}/cpu.stat`);
    if (text === undefined) return [];
    const [quota = 'max', period] = (read(`${folder}/cpu.max`) ?? 'max').trim().split(' ');
    return [
      {
        quotaCores: quota === 'max' ? undefined : Number(quota) / Number(period),
        periods: field(text, 'nr_periods') ?? 0,
        throttled: field(text, 'nr_throttled') ?? 0,
        throttledSeconds: (field(text, 'throttled_usec') ?? 0) / 1e6,
      },
    ];
  });
  return {
    ...summarize(cpu),
    cpuSecondsTotal: divided(field(stat, 'usage_usec'), 1e6),
    memoryBytes: bytes(firstText(read, folders, 'memory.current')),
    memoryAnonymousBytes: field(firstText(read, folders, 'memory.stat'), 'anon'),
    memoryLimitBytes: smallest(folders.map((folder) => bytes(read(`${folder}/memory.max`)))),
  };
}

function readV1(read: ReadText, membership: string): CgroupReading | undefined {
  const foldersOf = (controller: string) =>
    foldersUp(`${mount}/${controller}`, ownFolder(membership, controller));
  const memory = foldersOf('memory');
  const cpu = foldersOf('cpu').flatMap((folder): CpuFolder[] => {
    const text = read(`${folder}/cpu.stat`);
    if (text === undefined) return [];
    const quotaUs = Number(read(`${folder}/cpu.cfs_quota_us`) ?? -1);
    const periodUs = Number(read(`${folder}/cpu.cfs_period_us`) ?? 100_000);
    return [
      {
        quotaCores: quotaUs > 0 ? quotaUs / periodUs : undefined,
        periods: field(text, 'nr_periods') ?? 0,
        throttled: field(text, 'nr_throttled') ?? 0,
        throttledSeconds: (field(text, 'throttled_time') ?? 0) / 1e9,
      },
    ];
  });
  if (cpu.length === 0) return undefined;
  const usageNs = firstText(read, foldersOf('cpuacct'), 'cpuacct.usage');
  return {
    ...summarize(cpu),
    cpuSecondsTotal: divided(usageNs === undefined ? undefined : Number(usageNs), 1e9),
    memoryBytes: bytes(firstText(read, memory, 'memory.usage_in_bytes')),
    memoryAnonymousBytes: field(firstText(read, memory, 'memory.stat'), 'total_rss'),
    memoryLimitBytes: smallest(memory.map((folder) => bytes(read(`${folder}/memory.limit_in_bytes`)))),
  };
}

function summarize(folders: readonly CpuFolder[]) {
  const limited = folders.filter(({ quotaCores }) => quotaCores !== undefined);
  const counted = limited.length > 0 ? limited : folders.slice(0, 1);
  const sum = (key: 'periods' | 'throttled' | 'throttledSeconds') =>
    counted.reduce((total, folder) => total + folder[key], 0);
  return {
    cpuLimitCores: smallest(limited.map(({ quotaCores }) => quotaCores)),
    cpuPeriodsTotal: sum('periods'),
    cpuThrottledPeriodsTotal: sum('throttled'),
    cpuThrottledSecondsTotal: sum('throttledSeconds'),
  };
}

/**
 * The folder of a process below a controller's mount, as /proc/<pid>/cgroup says it; the controller of v2 is
 * ''.
 */
function ownFolder(membership: string, controller: string): string {
  for (const line of membership.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== undefined && names?.split(',').includes(controller)) return path;
  }
  return '/';
}

/**
 * The folder and all above it, up to the mount itself. A container sees its own folder as the mount, whatever
 * path it is told: then only the last of these exists.
 */
function foldersUp(root: string, path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return [...parts.keys(), parts.length].reverse().map((count) => [root, ...parts.slice(0, count)].join('/'));
}

/** Of the lowest folder that has the file. */
function firstText(read: ReadText, folders: readonly string[], file: string): string | undefined {
  for (const folder of folders) {
    const text = read(`${folder}/${file}`);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The number behind a key in a `key value` file such as cpu.stat. */
function field(text: string | undefined, key: string): number | undefined {
  const match = text === undefined ? null : new RegExp(`^${key} (\\d+)$`, 'm').exec(text);
  return match ? Number(match[1]) : undefined;
}

function bytes(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text.trim());
  return Number.isFinite(value) && value < unlimitedBytes ? value : undefined;
}

function divided(value: number | undefined, divisor: number): number | undefined {
  return value === undefined ? undefined : value / divisor;
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/**
 * The limits and the throttling that the kernel really applies to a process, from cgroup v2 or v1. A limit of
 * any folder between the process's own and the root of the mount holds, so the smallest of them counts.
 */
import { readFileSync } from 'node:fs';

export type CgroupReading = {
  /** Smallest CPU quota on the way up, in cores; undefined where there is none. */
  readonly cpuLimitCores: number | undefined;
  /** Length of the periods in which that quota is enforced; undefined where there is none. */
  readonly cpuPeriodMs: number | undefined;
  /** CPU time of the whole cgroup since it was made; undefined where it is not counted. */
  readonly cpuSecondsTotal: number | undefined;
  /** Periods and throttling: of all folders with a quota together, or of the own folder if none has one. */
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
export function readCgroupOf(pid: number, name: string, read = readFile): CgroupReading | undefined {
  const membership = read(`/proc/${pid}/cgroup`) ?? '';
  if (!membership.includes(name)) return undefined;
  // Without its own folder the walk upwards would find the figures of others.
  const own =
    read(`${mount}${ownFolder(membership, '')}/cpu.stat`) ??
    read(`${mount}/cpuacct${ownFolder(membership, 'cpuacct')}/cpuacct.usage`);
  return own === undefined ? undefined : (readV2(read, membership) ?? readV1(read, membership));
}

function readV2(read: ReadText, membership: string): CgroupReading | undefined {
  const folders = foldersUp(mount, ownFolder(membership, ''));
  const stat = firstText(read, folders, 'cpu.stat');
  if (!stat?.includes('usage_usec')) return undefined;
  const quotaOf = (folder: string) => {
    const [quota = 'max', period] = (read(`${folder}/cpu.max`) ?? 'max').trim().split(' ');
    return quota === 'max' ? undefined : quotaIn(Number(quota), Number(period));
  };
  const usageUs = field(stat, 'usage_usec');
  return {
    ...readCpu(read, folders, quotaOf, 'throttled_usec', 1e6),
    cpuSecondsTotal: usageUs === undefined ? undefined : usageUs / 1e6,
    ...readMemory(read, folders, { used: 'memory.current', limit: 'memory.max', anonymous: 'anon' }),
  };
}

function readV1(read: ReadText, membership: string): CgroupReading | undefined {
  const foldersOf = (name: string) => foldersUp(`${mount}/${name}`, ownFolder(membership, name));
  const folders = foldersOf('cpu');
  if (firstText(read, folders, 'cpu.stat') === undefined) return undefined;
  const quotaOf = (folder: string) => {
    const quotaUs = Number(read(`${folder}/cpu.cfs_quota_us`) ?? -1);
    const periodUs = Number(read(`${folder}/cpu.cfs_period_us`) ?? 100_000);
    return quotaUs > 0 ? quotaIn(quotaUs, periodUs) : undefined;
  };
  const usageNs = firstText(read, foldersOf('cpuacct'), 'cpuacct.usage');
  const files = { used: 'memory.usage_in_bytes', limit: 'memory.limit_in_bytes', anonymous: 'total_rss' };
  return {
    ...readCpu(read, folders, quotaOf, 'throttled_time', 1e9),
    cpuSecondsTotal: usageNs === undefined ? undefined : Number(usageNs) / 1e9,
    ...readMemory(read, foldersOf('memory'), files),
  };
}

type Quota = { cores: number; periodMs: number };

function quotaIn(quotaUs: number, periodUs: number): Quota {
  return { cores: quotaUs / periodUs, periodMs: periodUs / 1000 };
}

function readCpu(
  read: ReadText,
  folders: readonly string[],
  quotaOf: (folder: string) => Quota | undefined,
  throttledKey: string,
  unitsPerSecond: number,
) {
  const stats = folders
    .map((folder) => ({ text: read(`${folder}/cpu.stat`), quota: quotaOf(folder) }))
    .filter(({ text }) => text !== undefined);
  const limited = stats.filter(({ quota }) => quota !== undefined);
  const counted = limited.length > 0 ? limited : stats.slice(0, 1);
  const sum = (key: string) => counted.reduce((total, { text }) => total + (field(text, key) ?? 0), 0);
  const [smallestQuota] = limited
    .flatMap(({ quota }) => quota ?? [])
    .toSorted((one, other) => one.cores - other.cores);
  return {
    cpuLimitCores: smallestQuota?.cores,
    cpuPeriodMs: smallestQuota?.periodMs,
    cpuPeriodsTotal: sum('nr_periods'),
    cpuThrottledPeriodsTotal: sum('nr_throttled'),
    cpuThrottledSecondsTotal: sum(throttledKey) / unitsPerSecond,
  };
}

/** `used` and `limit` are names of files, `anonymous` is a key of memory.stat. */
function readMemory(
  read: ReadText,
  folders: readonly string[],
  { used, limit, anonymous }: { used: string; limit: string; anonymous: string },
) {
  return {
    memoryBytes: bytes(firstText(read, folders, used)),
    memoryAnonymousBytes: field(firstText(read, folders, 'memory.stat'), anonymous),
    memoryLimitBytes: smallest(folders.map((folder) => bytes(read(`${folder}/${limit}`)))),
  };
}

/** The folder below a controller's mount, as /proc/<pid>/cgroup has it. The controller of v2 is ''. */
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
  const texts = folders.values().map((folder) => read(`${folder}/${file}`));
  return texts.find((text) => text !== undefined);
}

/** The number behind a key in a `key value` file such as cpu.stat. */
function field(text: string | undefined, key: string): number | undefined {
  const match = new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '');
  return match ? Number(match[1]) : undefined;
}

function bytes(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN);
  return value < unlimitedBytes ? value : undefined;
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

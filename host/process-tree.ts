/** CPU and memory of a process with all its descendants, from /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

export type TreeUsage = {
  /**
   * User and system time of every live process of the tree, and of its children that have ended and been
   * reaped.
   */
  cpuSeconds: number;
  /** Resident sets added up; pages that processes share are counted once for each. */
  rssBytes: number;
  /** 0 when the root is gone. */
  processes: number;
};

type ProcessStat = { pid: number; parentPid: number; zombie: boolean; cpuTicks: number; rssPages: number };

// USER_HZ is 100 on every Linux that Node runs on; the page size is not, but only some arm64 kernels differ
// from 4096.
const ticksPerSecond = 100;
const pageBytes = 4096;

/** Adds up one reading of the tree under `rootPid`; `procDirectory` is for tests. */
export function readTreeUsage(rootPid: number, procDirectory = '/proc'): TreeUsage {
  const stats = readAllStats(procDirectory);
  const usage: TreeUsage = { cpuSeconds: 0, rssBytes: 0, processes: 0 };
  const pending = [rootPid];
  while (pending.length > 0) {
    const pid = pending.pop()!;
    for (const stat of stats.values()) if (stat.parentPid === pid) pending.push(stat.pid);
    const stat = stats.get(pid);
    if (stat === undefined) continue;
    usage.cpuSeconds += stat.cpuTicks / ticksPerSecond;
    if (stat.zombie) continue;
    usage.rssBytes += stat.rssPages * pageBytes;
    usage.processes += 1;
  }
  return usage;
}

/** Processes that `pid` started and that still run, oldest first. */
export function childrenOf(pid: number, procDirectory = '/proc'): number[] {
  const children = [...readAllStats(procDirectory).values()].filter(
    (stat) => stat.parentPid === pid && !stat.zombie,
  );
  return children.map((stat) => stat.pid).sort((one, other) => one - other);
}

function readAllStats(procDirectory: string): Map<number, ProcessStat> {
  const stats = new Map<number, ProcessStat>();
  for (const name of readdirSync(procDirectory)) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(procDirectory, name);
    if (stat !== null) stats.set(stat.pid, stat);
  }
  return stats;
}

/** Fields of /proc/<pid>/stat by their numbers in proc(5); null for a process that ended while we read. */
function readStat(procDirectory: string, pid: string): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`${procDirectory}/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The command name stands in parentheses and may hold anything, so fields are counted from after the last
  // one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number(pid),
    parentPid: field(4),
    zombie: fields[0] === 'Z',
    cpuTicks: field(14) + field(15) + field(16) + field(17),
    rssPages: field(24),
  };
}

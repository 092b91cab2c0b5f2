/** CPU and memory of a process with all its descendants, from /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

type TreeUsage = {
  /** User and system time of every process of the tree, and of its children that ended and were reaped. */
  cpuSeconds: number;
  /** Resident sets added up; pages that processes share are counted once for each. */
  rssBytes: number;
  /** 0 when the root is gone. */
  processes: number;
};

/** USER_HZ is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
/** Only some arm64 kernels have larger pages. */
const pageBytes = 4096;

/** Adds up one reading of the tree under `rootPid`; `procDirectory` is for tests. */
export function readTreeUsage(rootPid: number, procDirectory = '/proc'): TreeUsage {
  const stats = readAllStats(procDirectory);
  const usage: TreeUsage = { cpuSeconds: 0, rssBytes: 0, processes: 0 };
  const tree = stats.filter(({ pid }) => pid === rootPid);
  for (const { pid, zombie, cpuTicks, rssPages } of tree) {
    tree.push(...stats.filter(({ parentPid }) => parentPid === pid));
    usage.cpuSeconds += cpuTicks / ticksPerSecond;
    if (zombie) continue;
    usage.rssBytes += rssPages * pageBytes;
    usage.processes += 1;
  }
  return usage;
}

/** Processes that `pid` started and that still run, oldest first. */
export function childrenOf(pid: number, procDirectory = '/proc'): number[] {
  const children = readAllStats(procDirectory).filter((stat) => stat.parentPid === pid && !stat.zombie);
  return children.map((stat) => stat.pid).sort((one, other) => one - other);
}

function readAllStats(procDirectory: string) {
  const pids = readdirSync(procDirectory).filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readStat(procDirectory, pid)).filter((stat) => stat !== null);
}

/** Fields of /proc/<pid>/stat by their numbers in proc(5); null for a process that ended while we read. */
function readStat(procDirectory: string, pid: string) {
  let text: string;
  try {
    text = readFileSync(`${procDirectory}/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The command name may hold anything, so fields are counted from after its closing parenthesis.
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

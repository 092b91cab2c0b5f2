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

/**
 * Time for which the threads of a process and its descendants were ready to run and waited for a CPU, since
 * they were started (second field of schedstat); null where the kernel does not count it. A thread that has
 * ended takes its time with it.
 */
export function readRunDelaySeconds(rootPid: number, procDirectory = '/proc'): number | null {
  let totalNs: number | null = null;
  const pids = [String(rootPid)];
  for (const pid of pids)
    for (const thread of namesIn(`${procDirectory}/${pid}/task`)) {
      const directory = `${procDirectory}/${pid}/task/${thread}`;
      const delayNs = textOf(`${directory}/schedstat`).split(' ')[1];
      if (delayNs !== undefined) totalNs = (totalNs ?? 0) + Number(delayNs);
      pids.push(...textOf(`${directory}/children`).split(' ').filter(Boolean));
    }
  return totalNs === null ? null : totalNs / 1e9;
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
  const text = textOf(`${procDirectory}/${pid}/stat`);
  if (text === '') return null;
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

/** The text of a file under /proc; empty where there is none, as for a process that ended while we read. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Where a measurement was made: the machine, the container around it, and the commit. */
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { readCgroup } from '#host/cgroup.ts';
import { descriptorLimit } from '#host/descriptors.ts';
import { textOf } from '#host/process-tree.ts';

export type Environment = {
  node: string;
  platform: string;
  cpuModel: string;
  cpus: number;
  memoryBytes: number;
  /** Limits of the container around the process; null where there is none. */
  cgroupCpuCores: number | null;
  cgroupMemoryBytes: number | null;
  gitCommit: string | null;
  gitDirty: boolean | null;
};

/** Reads the environment of this process. */
export function readEnvironment(): Environment {
  const cgroup = readCgroup();
  const status = git(['status', '--porcelain', '--untracked-files=no']);
  return {
    node: process.version,
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    cpuModel: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    cgroupCpuCores: cgroup?.cpuLimitCores ?? null,
    cgroupMemoryBytes: cgroup?.memoryLimitBytes ?? null,
    gitCommit: git(['rev-parse', 'HEAD']),
    gitDirty: status === null ? null : status !== '',
  };
}

/** The number of files that this process may open (soft limit); null if the system does not say. */
export function readFilesMax(): number | null {
  const limit = descriptorLimit();
  return Number.isFinite(limit) ? limit : null;
}

/** Local ports of one source address towards one destination; null if the system does not say. */
export function readEphemeralPorts(): number | null {
  const range = /^(\d+)\s+(\d+)/.exec(textOf('/proc/sys/net/ipv4/ip_local_port_range'));
  return range === null ? null : Number(range[2]) - Number(range[1]) + 1;
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
    return null; // A container image holds no repository.
  }
}

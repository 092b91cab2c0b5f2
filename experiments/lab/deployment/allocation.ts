/** How much of a machine the parts of a trial get, in experiments that do not vary it. */
import { availableParallelism } from 'node:os';
import type { Allocation } from './deployment.ts';
import type { StageInfo } from './stage-table.ts';

/** Chosen, not measured: several times what any stage or simulator has been seen to use at these loads. */
const memoryMbPerCore = { server: 1024, loadtest: 2048 };

/**
 * In whole cores. The simulator gets half, rounded down, because it must keep up with any server. Each side
 * gets at least one.
 */
export function shareCores(cores: number = availableParallelism()): { server: number; loadtest: number } {
  const loadtest = Math.max(1, Math.floor(cores / 2));
  return { server: Math.max(1, cores - loadtest), loadtest };
}

/**
 * Gives each server node that many cores, but never more than the simulator leaves, and the simulator its
 * half.
 */
export function allocate(serverCores = 1, cores?: number): Allocation {
  const share = shareCores(cores);
  const serverCpus = Math.min(serverCores, share.server);
  return {
    serverCpus,
    serverMemoryMb: serverCpus * memoryMbPerCore.server,
    loadtestCpus: share.loadtest,
    loadtestMemoryMb: share.loadtest * memoryMbPerCore.loadtest,
  };
}

/**
 * What a stage gets in an experiment that compares stages. A stage of single event loops can use one core for
 * each node. One with a process per core gets all cores that the simulator leaves, and at least two workers,
 * so that frames cross between processes.
 */
export function allocateToStage(
  { processes }: Pick<StageInfo, 'processes'>,
  cores?: number,
): { settings: Readonly<Record<string, string>>; allocation: Allocation } {
  if (!processes.some(({ count }) => count === 'one per core'))
    return { settings: {}, allocation: allocate(1, cores) };
  const { server } = shareCores(cores);
  return { settings: { workers: String(Math.max(2, server)) }, allocation: allocate(server, cores) };
}

/** How much of a machine the parts of a trial get, in experiments that do not vary it. */
import { availableParallelism } from 'node:os';
import type { Allocation } from './deployment.ts';
import type { StageInfo } from './stage-table.ts';

/** Chosen, not measured: several times what any stage or simulator has been seen to use at these loads. */
const memoryMbPerCore = { server: 1024, loadtest: 2048 };

/** Whole cores, at least one for each. The simulator gets half, because it must keep up with any server. */
export function shareCores(cores: number = availableParallelism()): { server: number; loadtest: number } {
  const loadtest = Math.max(1, Math.floor(cores / 2));
  return { server: Math.max(1, cores - loadtest), loadtest };
}

/** That many cores for each node, but never more than the simulator leaves; its half for the simulator. */
export function allocate(serverCores = 1, cores?: number): Allocation {
  const { server, loadtest } = shareCores(cores);
  const serverCpus = Math.min(serverCores, server);
  return {
    serverCpus,
    serverMemoryMb: serverCpus * memoryMbPerCore.server,
    loadtestCpus: loadtest,
    loadtestMemoryMb: loadtest * memoryMbPerCore.loadtest,
  };
}

/**
 * For comparisons of stages: one core for each node of single event loops. A stage with a process per core
 * gets all cores that the simulator leaves, and at least two workers, so that frames cross processes.
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

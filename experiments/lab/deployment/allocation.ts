/** How much of a machine the parts of a trial get, in experiments that do not vary it. */
import { availableParallelism } from 'node:os';
import type { Allocation } from './deployment.ts';
import { isPerCore, type StageInfo } from './list-stages.ts';

/** Chosen, not measured: several times what any stage or simulator has been seen to use at these loads. */
const memoryMbPerCore = { server: 1024, simulator: 2048 };

/** Whole cores, at least one for each. The simulator gets half, because it must keep up with any server. */
export function shareCores(cores: number = availableParallelism()): { server: number; simulator: number } {
  const simulator = Math.max(1, Math.floor(cores / 2));
  return { server: Math.max(1, cores - simulator), simulator };
}

/** These cores for each node, but never more than the simulator leaves; its half for the simulator. */
export function allocate(serverCores = 1, cores?: number): Allocation {
  const { server, simulator } = shareCores(cores);
  const serverCpus = Math.min(serverCores, server);
  return {
    serverCpus,
    serverMemoryMb: serverCpus * memoryMbPerCore.server,
    loadtestCpus: simulator,
    loadtestMemoryMb: simulator * memoryMbPerCore.simulator,
  };
}

/**
 * For comparisons of stages: one core for each node of single event loops. A stage with a process per core
 * gets all cores that the simulator leaves, and at least two workers, so that frames cross processes.
 */
export function allocateToStage(
  stage: Pick<StageInfo, 'processes'>,
  cores?: number,
): { settings: Readonly<Record<string, string>>; allocation: Allocation } {
  if (!isPerCore(stage)) return { settings: {}, allocation: allocate(1, cores) };
  const { server } = shareCores(cores);
  return { settings: { workers: String(Math.max(2, server)) }, allocation: allocate(server, cores) };
}

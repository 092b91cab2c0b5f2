/** How much of a machine the parts of a trial get, where an experiment is not about that. */
import { availableParallelism } from 'node:os';
import type { TargetLimits } from './deployment.ts';

/** Chosen, not measured: several times what any stage or simulator has been seen to use at these loads. */
const memoryMbPerCore = { server: 1024, loadtest: 2048 };

/** Whole cores; the simulator gets half, rounded down, because it has to keep up with whatever the servers do. At least one each. */
export function shareCores(cores: number = availableParallelism()): { server: number; loadtest: number } {
  const loadtest = Math.max(1, Math.floor(cores / 2));
  return { server: Math.max(1, cores - loadtest), loadtest };
}

/** A box of that many cores for each server node, none larger than what the simulator leaves, and one for the simulator. */
export function boxes(serverCores = 1, cores?: number): TargetLimits {
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
 * What a stage gets in an experiment that is simply about stages. One event loop can use one core. The stage of many
 * gets all that the simulator leaves, and two workers at the least: frames that cross between them are what it is about.
 */
export function boxOfStage(stage: string): {
  settings: Readonly<Record<string, string>>;
  targetLimits: TargetLimits;
} {
  if (stage !== '04-cores') return { settings: {}, targetLimits: boxes() };
  const { server } = shareCores();
  return { settings: { workers: String(Math.max(2, server)) }, targetLimits: boxes(server) };
}

/** How much of a machine the parts of a trial get, in experiments that do not vary it. */
import { availableParallelism } from 'node:os';
import { type Allocation, defaultCpuPeriodMs } from './deployment.ts';
import { isPerCore, type StageInfo } from './list-stages.ts';

/** Chosen, not measured: several times what any stage or simulator has been seen to use at these loads. */
const memoryMbPerCore = { server: 1024, simulator: 2048 };
/** A worker with its heap, or a node, of a thousand sessions; what scale-chat gave its server. */
const memoryMbPerBox = 512;

/**
 * CPU of a node or a worker where an experiment varies their number: on a machine of two cores, four of them
 * fit on the one that the simulator leaves, and a fifth of it remains for Redis. Chosen, not measured.
 */
export const smallBoxCpus = 0.2;

/** Whole cores, at least one for each side; an odd one is the simulator's. */
export function shareCores(cores: number = availableParallelism()): { server: number; simulator: number } {
  const server = Math.max(1, Math.floor(cores / 2));
  return { server, simulator: Math.max(1, cores - server) };
}

/**
 * CPU of the default box for each core of the server's side: 0.4 CPU on a machine of two cores, 0.8 on one of
 * four. Reading and comparing what a server writes costs the simulator about what writing it costs the
 * server: in experiments/001-ladder it was at most 48 % busy in a trial that passed, and 70 % with 04-cores,
 * whose two workers write the same in more pieces. With 0.5 CPU three to four trials of a stage told nothing.
 * In boxes of 0.25 CPU a collection of garbage takes so long that it decides whether a trial passes.
 */
const boxShare = 0.4;

export function defaultBoxCpus(cores?: number): number {
  return Number((boxShare * shareCores(cores).server).toFixed(2));
}

/**
 * This CPU for each node, but never more than the simulator leaves. The simulator gets whole cores, which are
 * pinned and need no quota.
 */
export function allocate(serverCpus?: number, cores?: number): Allocation {
  const { server, simulator } = shareCores(cores);
  const cpus = Math.min(serverCpus ?? defaultBoxCpus(cores), server);
  return {
    serverCpus: cpus,
    serverMemoryMb: Math.ceil(cpus) * memoryMbPerCore.server,
    loadtestCpus: simulator,
    loadtestMemoryMb: simulator * memoryMbPerCore.simulator,
    cpuPeriodMs: defaultCpuPeriodMs,
  };
}

/** One container of so many small boxes: for a node, or for a machine of so many workers. */
export function allocateSmallBoxes(count: number, cores?: number): Allocation {
  const serverCpus = Number((count * smallBoxCpus).toFixed(2));
  return { ...allocate(serverCpus, cores), serverMemoryMb: count * memoryMbPerBox };
}

/**
 * How many small boxes leave half of the server's side to Redis and a balancer, four at the most: a balancer
 * reads and writes all that the nodes write. At least one.
 */
export function balancedBoxesMax(cores?: number): number {
  return Math.max(1, Math.min(4, Math.floor(shareCores(cores).server / 2 / smallBoxCpus)));
}

/**
 * For comparisons of stages: the default box for all of them. A stage with a process per core gets one worker
 * for each core of the box, and at least two, so that frames cross processes.
 */
export function allocateToStage(
  stage: Pick<StageInfo, 'processes'>,
  cores?: number,
): { settings: Readonly<Record<string, string>>; allocation: Allocation } {
  const allocation = allocate(defaultBoxCpus(cores), cores);
  if (!isPerCore(stage)) return { settings: {}, allocation };
  const workers = Math.max(2, Math.ceil(defaultBoxCpus(cores)));
  return { settings: { workers: String(workers) }, allocation };
}

/** One setup under the question: a stage with its settings, in a deployment with an allocation. */
import type { Workload } from '../../../loadtest/workload.ts';
import { allocationOf, shareCores } from '../deployment/allocation.ts';
import type { Allocation } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/stage-table.ts';

export type Variant = {
  /** Unique in the experiment; the name of the stage where nothing else distinguishes it. */
  name: string;
  stage: StageInfo;
  /** Flags of the server without their dashes, e.g. `{ 'segment-bytes': '65536' }`. */
  settings: Readonly<Record<string, string>>;
  nodes: number;
  allocation: Allocation;
  /** Laid over the workload of the experiment. */
  workload?: Partial<Workload>;
};

/**
 * A stage as a variant of an experiment that is about stages. One event loop can use one core. A stage with one process
 * per core gets all cores that the simulator leaves, and at least two workers, because it is about frames between workers.
 */
export function variantOfStage(stage: StageInfo): Variant {
  const cores = shareCores().server;
  const own = isPerCore(stage)
    ? { settings: { workers: String(Math.max(2, cores)) }, allocation: allocationOf(cores) }
    : { settings: {}, allocation: allocationOf() };
  return { name: stage.name, stage, nodes: 1, ...own };
}

/** Runs one process for each core of a machine. */
export function isPerCore({ processes }: StageInfo): boolean {
  return processes.some(({ count }) => count === 'one per core');
}

/** Runs on as many nodes as wanted. */
export function isScalable({ processes }: StageInfo): boolean {
  return processes.some(({ count }) => count === 'any number');
}

/** Is one process with no service beside it, so that one allocation holds all of it. */
export function isOneProcess({ processes, services }: StageInfo): boolean {
  return services.length === 0 && processes.every(({ count }) => count === 'one');
}

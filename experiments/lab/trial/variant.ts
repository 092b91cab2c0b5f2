/** One setup under the question: a stage with its settings, in a deployment with an allocation. */
import type { Workload } from '../../../loadtest/workload.ts';
import { allocateToStage } from '../deployment/allocation.ts';
import type { Allocation, Persistence } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/list-stages.ts';
import type { Scale } from '../records/schema.ts';
import type { Resize } from './resize.ts';

export type Variant = {
  /** Unique in the experiment; the name of the stage where nothing else distinguishes it. */
  name: string;
  stage: StageInfo;
  /** Flags of the server without their dashes, e.g. `{ 'segment-size': '64KiB' }`. */
  settings: Readonly<Record<string, string>>;
  nodes: number;
  /** What Redis keeps on disk; left out: nothing. */
  persistence?: Persistence;
  /** The simulator reaches the nodes through a load balancer alone. */
  balancer?: boolean;
  /** The simulator asks the connect service of the nodes where each connection goes. */
  seated?: boolean;
  allocation: Allocation;
  /** Nodes that come and go during each trial; left out: those of the start stay. */
  resize?: Resize;
  /** Left out where the experiment does not ask about growth. */
  scale?: Scale;
  /** Replaces these quantities of the workload of the experiment. */
  workload?: Partial<Workload>;
};

/** What a variant needs beside its nodes, by the names of services. */
export function needsOf({ stage, balancer }: Variant): string[] {
  return [...stage.services, ...(balancer ? ['haproxy'] : [])];
}

/** A stage as a variant of an experiment that compares stages. */
export function variantOfStage(stage: StageInfo): Variant {
  return { name: stage.name, stage, nodes: 1, ...allocateToStage(stage) };
}

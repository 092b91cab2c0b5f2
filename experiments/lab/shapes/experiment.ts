/** What an experiment is: one question with a number in it, asked of several variants, one quantity varied. */
import { allocateToStage } from '../deployment/allocation.ts';
import type { Allocation, TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/stage-table.ts';

/** What the simulator is asked to do; everything but the load stays the same within an experiment. */
export type Workload = {
  clients: number;
  /** Of all rooms together. */
  ratePerSecond: number;
  payloadBytes: number;
  rooms?: number;
  sendersPerRoom?: number;
  arrival?: 'constant' | 'poisson';
  /** Sessions that never read, beside the clients. */
  stalledReaders?: number;
  connectPerSecond?: number;
};

/** Length of the phases of a trial; the drain ends earlier when nothing is outstanding. */
export type Timing = { warmUpSeconds: number; measureSeconds: number; drainSeconds: number };

/** One thing under the question: a stage with its settings, in a target with its limits. */
export type Variant = {
  /** Unique in the experiment; the stage's own name where nothing else distinguishes it. */
  name: string;
  stage: string;
  settings: Readonly<Record<string, string>>;
  nodes: number;
  targetLimits: Allocation;
  /** First load of a capacity search; the capacity of the variant before where left out. Never changes the answer. */
  start?: number;
  /** Laid over what the experiment's `workloadAt` gives. */
  workload?: Partial<Workload>;
};

/** Search for the highest load that holds the limits. */
export type CapacityMethod = {
  kind: 'capacity';
  start: number;
  growth: number;
  tolerance: number;
  /** Trials that must pass at the found load; `--trials` overrides it. */
  confirmations: number;
  trialsMax: number;
  loadMin: number;
  loadMax: number;
};

/** The same loads for every variant, each repeated; `--trials` overrides the repetitions. */
export type FixedMethod = { kind: 'fixed'; loads: readonly number[]; repetitions: number };

/** The quantity that is varied: its name as an axis title and its unit, e.g. `offered messages` in `messages/s`. */
export type Varied = { quantity: string; unit: string };

export type Experiment = {
  /** Directory name under experiments/, e.g. `001-ladder`. */
  name: string;
  question: string;
  varied: Varied;
  /** Where it runs unless `--target` says otherwise; left out: containers where an engine answers, else processes. */
  target?: TargetKind;
  method: CapacityMethod | FixedMethod;
  /** What must hold for a trial to pass, in the simulator's language, e.g. `p99<250ms`. */
  limits: readonly string[];
  timing: Timing;
  workloadAt(load: number): Workload;
  variants(stages: readonly StageInfo[]): Variant[];
  /** What a reader must know to compare these numbers with others; a sentence each, shown in every report. */
  notes: readonly string[];
};

/** The variants of an experiment that is simply about stages: one for each, in the box that it can use. */
export function variantPerStage(
  stages: readonly StageInfo[],
  hints: Readonly<Record<string, number>> = {},
): Variant[] {
  return stages.map((stage) => {
    const { settings, allocation: targetLimits } = allocateToStage(stage);
    const { name } = stage;
    return { name, stage: name, settings, targetLimits, nodes: 1, start: hints[name] };
  });
}

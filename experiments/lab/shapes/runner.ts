/** Runs an experiment: every variant in turn, its trials by its method, every result on disk as soon as it is known. */
import { join } from 'node:path';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import { boundOf } from '../analysis/bottleneck.ts';
import { searchCapacity, type TrialPurpose } from '../analysis/capacity-search.ts';
import type { TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/stage-table.ts';
import {
  type Run,
  type RunRecord,
  type TrialRecord,
  type VariantRecord,
  writeRunRecord,
  writeTrialRecord,
} from '../records/schema.ts';
import { runTrial, type TrialContext } from '../trial/trial.ts';
import type { CapacityMethod, Experiment, FixedMethod, Variant } from './experiment.ts';

export type RunPlan = {
  experiment: Experiment;
  /** With the options of the command line laid over them. */
  variants: readonly Variant[];
  method: CapacityMethod | FixedMethod;
  timing: Experiment['timing'];
  skipped: RunRecord['skipped'];
  stages: readonly StageInfo[];
  seed: number;
  target: TargetKind;
  environment: LoadtestResult['environment'];
  /** Where `<run>/` is made. */
  resultsDirectory: string;
};

/** Who watches the run between trials. */
export type RunObserver = {
  trialEnded(trial: TrialRecord): void;
  variantEnded(variant: VariantRecord): void;
};

/** How a variant's target is had: each may need services of its own. */
export type ContextOf = (variant: Variant) => TrialContext;

class Interrupted extends Error {}

/** Runs all variants; an abort of `signal` ends the run early with what is known until then. */
export async function runExperiment(
  plan: RunPlan,
  contextOf: ContextOf,
  signal: AbortSignal,
  observer: RunObserver,
): Promise<Run> {
  const startedMs = performance.now();
  const record = newRecord(plan, new Date());
  const directory = join(plan.resultsDirectory, record.run);
  const run: Run = { record, trials: [] };
  const save = () => {
    record.seconds = Math.round((performance.now() - startedMs) / 1000);
    writeRunRecord(directory, record);
  };
  save();
  let start: number | undefined;
  for (const variant of plan.variants) {
    if (signal.aborted) break;
    const variantRecord = newVariantRecord(variant, plan.stages);
    record.variants.push(variantRecord);
    const trial = trialOf(plan, variant, contextOf(variant), directory, run, observer);
    try {
      if (plan.method.kind === 'fixed') await runFixed(plan.method, trial);
      else await runSearch(plan.method, variant.start ?? start, trial, variantRecord, run);
    } catch (error) {
      if (signal.aborted) break;
      variantRecord.error = (error as Error).message;
    } finally {
      record.interrupted = signal.aborted;
      save();
      observer.variantEnded(variantRecord);
    }
    start = variantRecord.answer?.capacity ?? start;
  }
  return run;
}

type RunOne = (load: number, purpose: TrialRecord['purpose']) => Promise<TrialRecord>;

function trialOf(
  plan: RunPlan,
  variant: Variant,
  context: TrialContext,
  directory: string,
  run: Run,
  observer: RunObserver,
): RunOne {
  return async (load, purpose) => {
    const number = run.trials.length + 1;
    const workload = { ...plan.experiment.workloadAt(load), ...variant.workload };
    const { timing, experiment } = plan;
    const seed = plan.seed * 1000 + number;
    const request = { number, variant, load, purpose, seed, workload, timing, limits: experiment.limits };
    const trial = await runTrial(request, context);
    run.trials.push(trial);
    writeTrialRecord(directory, trial);
    observer.trialEnded(trial);
    if (trial.outcome === 'interrupted') throw new Interrupted('interrupted');
    return trial;
  };
}

async function runFixed(method: FixedMethod, trial: RunOne): Promise<void> {
  for (const load of method.loads) {
    for (let repetition = 0; repetition < method.repetitions; repetition++) await trial(load, 'fixed');
  }
}

async function runSearch(
  method: CapacityMethod,
  start: number | undefined,
  trial: RunOne,
  variantRecord: VariantRecord,
  run: Run,
): Promise<void> {
  const outcomeOf = async (load: number, purpose: TrialPurpose) => {
    const { outcome } = await trial(load, purpose);
    if (outcome === 'interrupted') throw new Interrupted('interrupted');
    return outcome;
  };
  const answer = await searchCapacity({ ...method, start: start ?? method.start }, outcomeOf);
  variantRecord.answer = answer;
  const trials = run.trials.filter(({ variant }) => variant === variantRecord.name);
  variantRecord.bound = boundOf(answer, trials);
}

function newRecord(plan: RunPlan, now: Date): RunRecord {
  const { experiment } = plan;
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
  return {
    schemaVersion: 1,
    run: `${stamp}-${experiment.name}`,
    experiment: experiment.name,
    question: experiment.question,
    varied: experiment.varied,
    method: plan.method,
    limits: experiment.limits,
    timing: plan.timing,
    workload: experiment.workloadAt(1),
    notes: experiment.notes,
    target: plan.target,
    seed: plan.seed,
    startedAt: now.toISOString(),
    seconds: 0,
    interrupted: false,
    environment: plan.environment,
    variants: [],
    skipped: plan.skipped,
  };
}

function newVariantRecord(variant: Variant, stages: readonly StageInfo[]): VariantRecord {
  const { name, stage, settings, nodes, targetLimits } = variant;
  const summary = stages.find((one) => one.name === stage)?.summary ?? '';
  return { name, stage, summary, settings, nodes, targetLimits, answer: null, bound: null, error: null };
}

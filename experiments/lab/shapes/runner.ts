/**
 * Runs a plan of any shape: every variant in turn, every result on disk as soon as it is known. The order of
 * calls: `run` (commands/run.ts), `runPlan`, `runVariant` of the plan, `runAtLoad` (load-trials.ts),
 * `runTrial` (trial/trial.ts), and `deploy` of the context: `startDeployment` (deployment/start.ts).
 */
import { join } from 'node:path';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { TargetKind } from '../deployment/deployment.ts';
import { PeerUnavailable } from '../deployment/peers.ts';
import type { Run, RunRecord, TrialHeader, VariantRecord } from '../records/schema.ts';
import { writeRunRecord, writeTrialRecord } from '../records/store.ts';
import type { TrialContext } from '../trial/trial.ts';
import type { Variant } from '../trial/variant.ts';
import { type Experiment, type OngoingRun, type Plan, SkipVariant } from './shape.ts';

export type PlannedRun = {
  experiment: Experiment;
  plan: Plan;
  /** Those of the plan whose services were found. */
  variants: readonly Variant[];
  skipped: RunRecord['skipped'];
  seed: number;
  target: TargetKind;
  simulator: TargetKind;
  environment: LoadtestResult['environment'];
  /** Where `<run>/` is made. */
  resultsDirectory: string;
};

/** Follows the run between trials. */
export type RunObserver = {
  /** The run begins; its record has no variants yet. */
  started?(record: RunRecord): void;
  trialEnded(line: string, trial: TrialHeader): void;
  /** With a line where there is something to say. */
  variantEnded(line: string | null): void;
};

/** Runs all variants. An abort of the context's signal ends the run early, with the results until then. */
export async function runPlan(
  planned: PlannedRun,
  context: TrialContext,
  observer: RunObserver,
): Promise<Run> {
  const { plan, variants, seed } = planned;
  const startedMs = performance.now();
  const run: Run = { record: newRecord(planned, new Date()), trials: [] };
  const { record } = run;
  const directory = join(planned.resultsDirectory, record.run);
  const save = () => {
    record.interrupted = context.signal.aborted;
    record.seconds = Math.round((performance.now() - startedMs) / 1000);
    writeRunRecord(directory, record);
  };
  save();
  observer.started?.(record);
  const ongoing: OngoingRun = {
    ...context,
    seed,
    nextNumber: () => run.trials.length + 1,
    add: (trial) => {
      run.trials.push(trial);
      writeTrialRecord(directory, trial);
      observer.trialEnded(plan.trialLine(trial), trial);
      if (trial.outcome === 'interrupted') throw new Error('interrupted');
    },
  };
  for (const variant of variants) {
    if (context.signal.aborted) break;
    const end = await endOf(variant, plan, ongoing);
    if (end instanceof SkipVariant)
      record.skipped.push({ name: variant.name, reason: end.message, ways: [] });
    else record.variants.push(end);
    save();
    const line = end instanceof SkipVariant ? `skipped ${variant.name}: ${end.message}` : lineOf(end, plan);
    observer.variantEnded(line);
  }
  return run;
}

/** Runs a variant. Never rejects: a failure becomes the error of the record, an abort leaves no answer. */
async function endOf(variant: Variant, plan: Plan, run: OngoingRun): Promise<VariantRecord | SkipVariant> {
  const { name, stage, settings, nodes, balancer, scale, allocation } = variant;
  const record: VariantRecord = {
    name,
    stage: stage.name,
    summary: stage.summary,
    settings,
    nodes,
    ...(balancer ? { balancer } : {}),
    scale,
    targetLimits: allocation,
    answer: null,
    bound: null,
    error: null,
  };
  try {
    return { ...record, ...(await plan.runVariant(variant, run)) };
  } catch (error) {
    if (run.signal.aborted) return record;
    if (error instanceof PeerUnavailable) return new SkipVariant(error.message);
    return error instanceof SkipVariant ? error : { ...record, error: (error as Error).message };
  }
}

function lineOf(variant: VariantRecord, plan: Plan): string | null {
  if (variant.error !== null) return `${variant.name}: no trial was possible: ${variant.error}`;
  return plan.variantLine?.(variant) ?? null;
}

function newRecord(planned: PlannedRun, now: Date): RunRecord {
  const { experiment, plan, target, simulator, seed, environment, skipped } = planned;
  const time = now.toISOString().slice(0, 19).replaceAll(':', '-');
  return {
    schemaVersion: 2,
    shape: plan.shape,
    run: `${time}-${experiment.name}`,
    experiment: experiment.name,
    question: experiment.question,
    notes: experiment.notes,
    limits: plan.limits,
    target,
    simulator: plan.usesSimulator ? simulator : null,
    seed,
    startedAt: now.toISOString(),
    seconds: 0,
    interrupted: false,
    environment,
    variants: [],
    skipped: [...skipped],
    ...plan.fields,
  };
}

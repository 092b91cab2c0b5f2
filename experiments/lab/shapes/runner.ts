/** Runs a plan of any shape: every variant in turn, every result on disk as soon as it is known. */
import { join } from 'node:path';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { TargetKind } from '../deployment/deployment.ts';
import type { Run, RunRecord, VariantRecord } from '../records/schema.ts';
import { writeRunRecord, writeTrialRecord } from '../records/store.ts';
import type { TrialContext } from '../trial/trial.ts';
import type { Variant } from '../trial/variant.ts';
import { type Experiment, type Plan, type RunSession, SkipVariant } from './shape.ts';

type PlannedRun = {
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
  trialEnded(line: string): void;
  variantEnded(line: string): void;
};

/** Runs all variants. An abort of the context's signal ends the run early, with the results until then. */
export async function runPlan(
  planned: PlannedRun,
  context: TrialContext,
  observer: RunObserver,
): Promise<Run> {
  const startedMs = performance.now();
  const run: Run = { record: newRecord(planned, new Date()), trials: [] };
  const { record } = run;
  const directory = join(planned.resultsDirectory, record.run);
  const save = () => {
    record.seconds = Math.round((performance.now() - startedMs) / 1000);
    writeRunRecord(directory, record);
  };
  save();
  const session: RunSession = {
    ...context,
    seed: planned.seed,
    nextNumber: () => run.trials.length + 1,
    add: (trial) => {
      run.trials.push(trial);
      writeTrialRecord(directory, trial);
      observer.trialEnded(planned.plan.trialLine(trial));
      if (trial.outcome === 'interrupted') throw new Error('interrupted');
    },
  };
  for (const variant of planned.variants) {
    if (context.signal.aborted) break;
    const entry = newVariantRecord(variant);
    record.variants.push(entry);
    try {
      Object.assign(entry, await planned.plan.runVariant(variant, session));
    } catch (error) {
      if (context.signal.aborted) break;
      noteFailure(record, entry, error as Error);
    } finally {
      record.interrupted = context.signal.aborted;
      save();
      const line = endLine(entry, record, planned.plan);
      if (line !== null) observer.variantEnded(line);
    }
  }
  return run;
}

/** A variant that this deployment cannot answer is skipped; any other failure is an error of the variant. */
function noteFailure(record: RunRecord, entry: VariantRecord, error: Error): void {
  if (error instanceof SkipVariant) {
    record.variants.pop();
    record.skipped.push({ name: entry.name, reason: error.message, ways: [] });
  } else entry.error = error.message;
}

function endLine(entry: VariantRecord, record: RunRecord, plan: Plan): string | null {
  const skip = record.skipped.find(({ name }) => name === entry.name);
  if (skip !== undefined) return `skipped ${skip.name}: ${skip.reason}`;
  return entry.error === null
    ? (plan.variantLine?.(entry) ?? null)
    : `${entry.name}: no trial was possible: ${entry.error}`;
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

function newVariantRecord({ name, stage, settings, nodes, allocation }: Variant): VariantRecord {
  return {
    ...{ name, stage: stage.name, summary: stage.summary, settings, nodes },
    ...{ targetLimits: allocation, answer: null, bound: null, error: null },
  };
}

/** A shape is a kind of question: all that only this kind needs to run, record, report and compare. */
import type { Comparison } from '../analysis/compare.ts';
import type { TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/list-stages.ts';
import type { Run, TrialHeader, VariantRecord } from '../records/schema.ts';
import type { Plot } from '../report/plot.ts';
import type { ReportContent, Table } from '../report/table.ts';
import type { TrialContext } from '../trial/trial.ts';
import type { Variant } from '../trial/variant.ts';
import type { RunOptions } from './run-plan.ts';

/** One question. A shape adds its own parameters to these. */
export type Experiment = {
  /** Directory name under experiments/, e.g. `001-ladder`. */
  name: string;
  question: string;
  shape: Shape;
  /** Where it runs without `--target`; left out: in containers where an engine answers, else as processes. */
  target?: TargetKind;
  /** Facts that a reader needs to compare these numbers with others, a sentence each; in every report. */
  notes: readonly string[];
};

/** Every experiment, and every shape that a result file may name. */
export type Registry = { experiments: readonly Experiment[]; shapes: readonly Shape[] };

export type Shape<Asked extends Experiment = Experiment, Found extends Run = Run> = {
  /** Stands in every result file, so that its report is found. */
  name: string;
  /** Options of `run` that only it understands. */
  takes?: readonly ('scenario' | 'url' | 'quick')[];
  /** Plans a run. Throws an `InputError` that names every mistake in the options. */
  plan(experiment: Asked, stages: readonly StageInfo[], options: RunOptions): Plan;
  /** The report of a run: a pure function of its files. */
  report(run: Found): ReportContent;
  /** Its plots for the HTML page; left out: none. */
  plots?(run: Found): Promise<Plot[]>;
  /** The finding in short, for the top of the README: a table and its picture; left out: none. */
  finding?(run: Found): Promise<{ table: Table; plot: Plot | null }>;
  /** Compares b with a, two runs of one experiment. */
  compare(a: Found, b: Found): Comparison[];
  /** Numbers of the trials whose series the report draws; an archived run keeps the series of these only. */
  drawn(run: Found): ReadonlySet<number>;
};

/** A run before it starts. */
export type Plan = {
  /** Shape of the run: `--loads` turns a capacity experiment into fixed loads. */
  shape: string;
  variants: readonly Variant[];
  limits: readonly string[];
  /** Whether the simulator drives the trials; else the lab's own clients do. */
  usesSimulator: boolean;
  /** Fields that the shape adds to the record of the run. */
  fields: object;
  /** First guess of the duration, without the start and stop of each trial. */
  estimate: { trials: number; secondsPerTrial: number };
  /** Runs all trials of a variant. Rejects with a `SkipVariant` where this deployment has no answer. */
  runVariant(variant: Variant, run: OngoingRun): Promise<Partial<Pick<VariantRecord, 'answer' | 'bound'>>>;
  /** One line for the terminal when a trial has ended. */
  trialLine(trial: TrialHeader): string;
  /** One line when a variant has ended; left out or null: none. */
  variantLine?(variant: VariantRecord): string | null;
};

/** A run that goes on, as its trials use it. */
export type OngoingRun = TrialContext & {
  /** Of the whole run; each trial derives its own. */
  seed: number;
  /** Number of the next trial, from 1. */
  nextNumber(): number;
  /** Adds a finished trial to the run and to its files; throws where the trial was interrupted. */
  add(trial: TrialHeader): void;
};

/** A variant that cannot be run here; the message gives the reason. */
export class SkipVariant extends Error {}

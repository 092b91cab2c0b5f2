/** What a run leaves for continuous integration: a comparison with a baseline, a summary, a JUnit file. */
import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeFault, writeWhole } from '#host/whole-file.ts';
import { exitCodeOf } from '../analysis/exit-code.ts';
import type { Judgement } from '../analysis/judge.ts';
import { differencesOf, sentenceOf } from '../analysis/refusal.ts';
import { InputError } from '../input-error.ts';
import { readNoise } from '../records/noise-file.ts';
import type { Run } from '../records/schema.ts';
import { findRun, readRun } from '../records/store.ts';
import { comparisonReport } from '../report/comparison.ts';
import { casesOfComparison, casesOfRun, type JunitCase, junitXml } from '../report/junit.ts';
import { comparisonSummary, runSummary } from '../report/summary.ts';
import { shapeOf } from '../shapes/run-report.ts';
import type { PlannedRun } from '../shapes/runner.ts';
import type { Registry } from '../shapes/shape.ts';
import { compareRuns, type RunComparison } from './comparing.ts';

export type OutcomeFlags = { results: string; baseline?: string; summary?: string; junit?: string };

/** Checked before the run, used after it. */
type Outcome = {
  /** The same run; throws an `InputError` where the baseline could not be compared with it. */
  checked(planned: PlannedRun): PlannedRun;
  /** Compares, prints and writes; returns the exit code. */
  conclude(run: Run): number;
};

export function addOutcomeOptions(command: Command): Command {
  return command
    .option('--summary <file>', 'append a Markdown summary, to $GITHUB_STEP_SUMMARY too where it is set')
    .option('--junit <file>', 'write JUnit XML: a test case for each variant and limit, and each comparison');
}

/** Reads the baseline, and throws an `InputError` for all of the files that cannot be used. */
export function openOutcome(flags: OutcomeFlags, registry: Registry): Outcome {
  const mistakes = refusedFiles(flags);
  const baseline = readBaseline(flags, mistakes);
  const noise = readNoise(flags.results);
  if (mistakes.length > 0) throw new InputError(mistakes);
  return {
    checked: (planned) => {
      if (baseline !== null) checkBaseline(baseline, planned);
      return planned;
    },
    conclude: (run) => {
      // A comparison that turns out to be impossible must not cost the files of the run.
      let comparison: RunComparison | null = null;
      let refusal: InputError | null = null;
      try {
        if (baseline !== null) comparison = compareRuns(baseline, run, { registry, noise, anyway: false });
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refusal = error;
      }
      const content = comparison?.content ?? null;
      const rows = content?.rows ?? [];
      if (content !== null) console.log(`\n${comparisonReport(content)}`);
      writeOutcome(flags, {
        suite: run.record.experiment,
        seconds: run.record.seconds,
        cases: [...casesOfRun(run), ...casesOfComparison(run.record.experiment, rows)],
        summary: [
          runSummary(run, shapeOf(run, registry).report(run)),
          ...(content === null ? [] : [comparisonSummary(run.record.experiment, content)]),
        ].join(''),
      });
      if (refusal !== null) throw refusal;
      return exitCodeOf(run) || (comparison?.exitCode ?? 0);
    },
  };
}

/** A comparison alone, without a run. */
export function writeComparison(flags: OutcomeFlags, { record }: Run, { content }: RunComparison): void {
  writeOutcome(flags, {
    suite: record.experiment,
    seconds: record.seconds,
    cases: casesOfComparison(record.experiment, content.rows as readonly Judgement[]),
    summary: comparisonSummary(record.experiment, content),
  });
}

type Written = { suite: string; seconds: number; cases: readonly JunitCase[]; summary: string };

function writeOutcome({ summary: path, junit }: OutcomeFlags, written: Written): void {
  for (const file of summaryFiles(path)) appendFileSync(file, written.summary);
  if (junit !== undefined) writeWhole(junit, junitXml(written.suite, written.seconds, written.cases));
}

/** The file that was asked for, and beside it the summary page of the job. */
function summaryFiles(path: string | undefined): string[] {
  if (path === undefined) return [];
  const page = process.env.GITHUB_STEP_SUMMARY;
  return page === undefined || page === '' || resolve(page) === resolve(path) ? [path] : [path, page];
}

/** A sentence for each file that could not be written at the end. */
export function refusedFiles({ summary, junit }: OutcomeFlags): string[] {
  const named = [
    ['--summary', summary],
    ['--junit', junit],
  ] as const;
  return named.flatMap(([flag, path]) => {
    const fault = path === undefined ? null : writeFault(path);
    return fault === null ? [] : [`Give ${flag} a file that can be written: ${fault}; given ${path}.`];
  });
}

function readBaseline({ baseline, results }: OutcomeFlags, mistakes: string[]): Run | null {
  if (baseline === undefined) return null;
  try {
    return readRun(findRun(baseline, results));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    mistakes.push(error.message);
    return null;
  }
}

/** By all that is known before the first trial, so that nobody waits for a run that is refused. */
function checkBaseline(baseline: Run, planned: PlannedRun): void {
  const { experiment, plan, target, simulator, environment, variants } = planned;
  const { name } = experiment;
  if (baseline.record.experiment !== name)
    throw new InputError([
      `Give a baseline of this experiment: required ${name}; given ${baseline.record.experiment}.`,
    ]);
  const record = {
    shape: plan.shape,
    limits: plan.limits,
    target,
    simulator: plan.usesSimulator ? simulator : null,
    environment,
    ...plan.fields,
    variants: variants.map(({ name, allocation, nodes }) => ({ name, targetLimits: allocation, nodes })),
  };
  const differences = differencesOf(baseline, { record, trials: [] });
  if (differences.length === 0) return;
  throw new InputError(differences.map((difference) => `Baseline (a): ${sentenceOf(difference)}`));
}

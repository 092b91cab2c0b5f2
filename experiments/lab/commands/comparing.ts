/** Two runs, from their files to the rows, notes and margins of their comparison. */
import { type Comparison, compareFixedLoads } from '../analysis/compare.ts';
import { isOfQuestion } from '../analysis/finding.ts';
import { exitCodeOfComparison, judge } from '../analysis/judge.ts';
import { marginsFor } from '../analysis/noise.ts';
import { differencesOf, sentenceOf } from '../analysis/refusal.ts';
import { InputError } from '../input-error.ts';
import type { NoiseFigure } from '../records/noise-file.ts';
import type { LoadRun, Run } from '../records/schema.ts';
import { type ComparisonContent, sideNote } from '../report/comparison.ts';
import { shapeOf } from '../shapes/run-report.ts';
import type { Registry } from '../shapes/shape.ts';

export type RunComparison = { content: ComparisonContent; exitCode: 0 | 1 | 3 };

/** Compares them `anyway` also where they differ in more than their code. */
type Known = { registry: Registry; noise: readonly NoiseFigure[]; anyway: boolean };

/** b against a. Throws an `InputError` that says everything that keeps the two from being compared. */
export function compareRuns(a: Run, b: Run, { registry, noise, anyway }: Known): RunComparison {
  const differences = checkAlike(a, b, anyway);
  const rows = rowsOf(a, b, registry);
  if (rows.length === 0)
    throw new InputError([
      `Compare runs that have a variant and a load in common: required one; given ${contentOf(a)} and ${contentOf(b)}.`,
    ]);
  const margins = marginsFor(a, b, rows, noise);
  const judged = judge(rows, margins.marginOf);
  const notes = [...differences, sideNote('a', a), sideNote('b', b), ...onlyIn(a, b), ...onlyIn(b, a)];
  return {
    content: { notes, rows: judged, margins: margins.notes },
    exitCode: exitCodeOfComparison(judged),
  };
}

/** Throws where the two cannot be compared; else the differences that are accepted, as notes. */
function checkAlike(a: Run, b: Run, anyway: boolean): string[] {
  const [of, with_] = [a.record.experiment, b.record.experiment];
  if (of !== with_)
    throw new InputError([
      `Compare runs of one experiment: required the same twice; given ${of} and ${with_}.`,
    ]);
  const differences = differencesOf(a, b);
  if (differences.length > 0 && !anyway) throw new InputError([...differences.map(sentenceOf), anywayHint]);
  return differences.map(({ what, a: ofA, b: ofB }) => `Not alike, ${what}: ${ofA} in a, ${ofB} in b.`);
}

/** Follows the sentences of a refusal. */
const anywayHint = 'Or add --anyway to compare, which says what differs.';

/** By their shape; a search and given loads have in common the loads that both tried. */
function rowsOf(a: Run, b: Run, registry: Registry): Comparison[] {
  if (a.record.shape === b.record.shape) return shapeOf(a, registry).compare(a, b);
  if (![a, b].every(isOfLoads)) return [];
  return compareFixedLoads(ofQuestion(a as LoadRun), ofQuestion(b as LoadRun));
}

function isOfLoads({ record: { shape } }: Run): boolean {
  return shape === 'capacity' || shape === 'fixed-load';
}

function ofQuestion(run: LoadRun): LoadRun {
  return { ...run, trials: run.trials.filter(isOfQuestion) };
}

function onlyIn(one: Run, other: Run): string[] {
  const ofOther = other.record.variants.map(({ name }) => name);
  const missing = one.record.variants.map(({ name }) => name).filter((name) => !ofOther.includes(name));
  return missing.length === 0 ? [] : [`Only in ${one.record.run}: ${missing.join(', ')}`];
}

function contentOf({ record: { run, variants } }: Run): string {
  return `${run} (${variants.map(({ name }) => name).join(', ') || 'no variant'})`;
}

/** `compare`: two runs of one experiment side by side. */
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import type { Run } from '../records/schema.ts';
import { findRun, readRun } from '../records/store.ts';
import { comparisonReport } from '../report/comparison.ts';
import { shapeOf } from '../shapes/run-report.ts';
import type { Registry } from '../shapes/shape.ts';

export function addCompare(program: Command, registry: Registry): void {
  program
    .command('compare')
    .description('whether b is better or worse than a, or no more than noise; exit code 1 on worse')
    .argument('<a>', 'result directory, archived .json file, or name of a run')
    .argument('<b>', 'the same, of the same experiment')
    .option('--results <dir>', 'where result directories are', 'results')
    .action((nameA: string, nameB: string, { results }: { results: string }) => {
      const [a, b] = [readRun(findRun(nameA, results)), readRun(findRun(nameB, results))];
      checkComparable(a, b);
      const rows = shapeOf(a, registry).compare(a, b);
      console.log(comparisonReport(rows));
      if (rows.some(({ verdict, decides }) => decides && verdict === 'worse')) process.exitCode = 1;
    });
}

function checkComparable({ record: a }: Run, { record: b }: Run): void {
  const required = (runsOf: string, given: string) =>
    new InputError([`Compare runs of ${runsOf}: required the same twice; given ${given}.`]);
  if (a.experiment !== b.experiment) throw required('one experiment', `${a.experiment} and ${b.experiment}`);
  if (a.shape !== b.shape)
    throw required('one shape (--loads makes fixed loads)', `${a.shape} and ${b.shape}`);
}

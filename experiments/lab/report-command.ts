/** `report`: remakes reports from result files, keeps runs in the repository, and refreshes what is generated from them. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { experiments } from '../catalogue.ts';
import { keepRun, readKept } from './keep.ts';
import { InputError } from './plan.ts';
import { findingTable, refreshFinding, refreshReport } from './report/refresh.ts';
import { terminalReport } from './report/terminal.ts';
import { writeReports } from './report/write.ts';
import { listRuns, readRun } from './results.ts';

const experimentsDirectory = join(import.meta.dirname, '..');
const readmePath = join(experimentsDirectory, '..', 'README.md');
/** The experiment whose table is the finding. */
const findingExperiment = '001-ladder';

/** Remakes the reports of a run; with `keep`, the run goes into the repository and its REPORT.md is refreshed. */
export function reportCommand(name: string | undefined, resultsDirectory: string, keep: boolean): void {
  const run = readRun(findRun(name, resultsDirectory));
  const directory = join(resultsDirectory, run.record.run);
  mkdirSync(directory, { recursive: true });
  console.log(terminalReport(run));
  console.log(`\nreport: ${writeReports(run, directory)}`);
  if (!keep) return;
  console.log(`kept: ${keepRun(run, join(experimentsDirectory, run.record.experiment))}`);
  refreshCommand();
}

/** Refreshes every REPORT.md and the README's finding from the kept runs. */
export function refreshCommand(): void {
  for (const experiment of experiments) {
    const path = refreshReport(experiment, join(experimentsDirectory, experiment.name));
    if (path !== null) console.log(`refreshed: ${path}`);
  }
  const [newest] = readKept(join(experimentsDirectory, findingExperiment));
  if (newest === undefined) return;
  if (refreshFinding(newest, readmePath)) console.log(`refreshed: ${readmePath}`);
  else console.log(`\nThe finding, for a README without markers for it:\n\n${findingTable(newest)}`);
}

/** A path, a name in the results directory, or the newest there; throws an `InputError` that lists what there is. */
export function findRun(name: string | undefined, resultsDirectory: string): string {
  const runs = listRuns(resultsDirectory);
  if (name === undefined) {
    const newest = runs.at(-1);
    if (newest !== undefined) return join(resultsDirectory, newest);
    throw new InputError([
      `Run an experiment first: required a result directory in ${resultsDirectory}; given none.`,
    ]);
  }
  const candidates = [name, join(resultsDirectory, name)];
  const found = candidates.find((path) =>
    path.endsWith('.json') ? existsSync(path) : existsSync(join(path, 'run.json')),
  );
  if (found !== undefined) return found;
  const known = runs.length === 0 ? `(${resultsDirectory} has none)` : runs.slice(-5).join(', ');
  throw new InputError([
    `Name a run: required a result directory, a kept .json file, or a name such as ${known}; given ${name}.`,
  ]);
}

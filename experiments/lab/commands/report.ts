/** `report`: remakes reports from result files, keeps runs in the repository, and refreshes what is generated from them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { experiments, procedures } from '../../registry.ts';
import { keepRun, readKept } from '../records/archive.ts';
import { findRun } from '../records/find-run.ts';
import { readRun } from '../records/schema.ts';
import { findingTable, refreshFinding, refreshReport } from '../report/refresh.ts';
import { terminalReport } from '../report/terminal.ts';
import { writeReports } from '../report/write.ts';

const experimentsDirectory = join(import.meta.dirname, '..', '..');
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
  for (const procedure of procedures) {
    const path = procedure.refresh(join(experimentsDirectory, procedure.name));
    if (path !== null) console.log(`refreshed: ${path}`);
  }
  const [newest] = readKept(join(experimentsDirectory, findingExperiment));
  if (newest === undefined) return;
  if (refreshFinding(newest, readmePath)) console.log(`refreshed: ${readmePath}`);
  else console.log(`\nThe finding, for a README without markers for it:\n\n${findingTable(newest)}`);
}

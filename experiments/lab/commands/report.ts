/** `report`: remakes reports from result files, archives runs, and refreshes the generated documents. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import { archiveRun, readArchived } from '../records/archive.ts';
import { findRun, readRun } from '../records/store.ts';
import { markdownReport, replaceBetweenMarkers } from '../report/markdown.ts';
import { markdownTable } from '../report/table.ts';
import { shapeOf, showReport } from '../shapes/run-report.ts';
import type { Experiment, Registry } from '../shapes/shape.ts';
import { answerGoal } from './goal.ts';
import { repeated } from './option-values.ts';

const experimentsDirectory = join(import.meta.dirname, '..', '..');
const readmePath = join(experimentsDirectory, '..', 'README.md');

type ReportFlags = { keep: boolean; refresh: boolean; goal?: string; with?: string[]; results: string };

export function addReport(program: Command, registry: Registry): void {
  program
    .command('report')
    .description('remake the reports of a run: a table here, HTML and Markdown in its directory')
    .argument('[run]', 'result directory, archived .json file, or name of a run (default: the newest)')
    .option('--keep', 'also archive the run in the repository, and refresh every REPORT.md', false)
    .option('--refresh', 'only refresh every REPORT.md and the README from the archived runs', false)
    .option('--goal <text>', "only tell what it costs, e.g. '1M sessions, 1 message/s per room of 100'")
    .option('--with <run>', 'for --goal: count the trials of this run too; repeatable', repeated)
    .option('--results <dir>', 'where result directories are', 'results')
    .action(async (name: string | undefined, flags: ReportFlags) => {
      if (flags.refresh) return refresh(registry);
      const run = readRun(findRun(name, flags.results));
      const others = (flags.with ?? []).map((other) => readRun(findRun(other, flags.results)));
      if (flags.goal !== undefined) return console.log(await answerGoal(flags.goal, [run, ...others]));
      const shape = shapeOf(run, registry);
      await showReport(run, shape, flags.results);
      if (!flags.keep) return;
      const home = join(experimentsDirectory, run.record.experiment);
      console.log(`archived: ${archiveRun(run, shape.drawn(run), home)}`);
      refresh(registry);
    });
}

/** Refreshes every REPORT.md, and in the README the finding of the first experiment's newest run. */
function refresh(registry: Registry): void {
  for (const experiment of registry.experiments) {
    const path = refreshReport(experiment, registry, join(experimentsDirectory, experiment.name));
    if (path !== null) console.log(`refreshed: ${path}`);
  }
  const [first] = registry.experiments;
  const [newest] = first === undefined ? [] : readArchived(join(experimentsDirectory, first.name));
  if (newest === undefined || !existsSync(readmePath)) return;
  const table = shapeOf(newest, registry).finding?.(newest);
  if (table === undefined) return;
  const text = replaceBetweenMarkers(readFileSync(readmePath, 'utf8'), 'finding', markdownTable(table));
  if (text === null) return;
  writeFileSync(readmePath, text);
  console.log(`refreshed: ${readmePath}`);
}

/** Puts the archived runs of an experiment, newest first, into its REPORT.md; null where none is archived. */
export function refreshReport(
  { name, question }: Experiment,
  registry: Registry,
  directory: string,
): string | null {
  const runs = readArchived(directory);
  if (runs.length === 0) return null;
  const path = join(directory, 'REPORT.md');
  const skeleton = `# ${name}\n\n${question}\n\n<!-- tables:begin -->\n<!-- tables:end -->\n`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : skeleton;
  const sections = runs.map((run) => markdownReport(run, shapeOf(run, registry).report(run)));
  const refreshed = replaceBetweenMarkers(text, 'tables', sections.join('\n\n'));
  if (refreshed === null)
    throw new InputError([`Put <!-- tables:begin --> and <!-- tables:end --> into ${path}.`]);
  writeFileSync(path, refreshed);
  return path;
}

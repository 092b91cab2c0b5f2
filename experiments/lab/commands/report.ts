/** `report`: remakes reports from result files, archives runs, and refreshes the generated documents. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { makeDirectory } from '#host/whole-file.ts';
import { archiveRun, picturesIn, readArchived } from '../records/archive.ts';
import { findRun, readRun } from '../records/store.ts';
import { replaceBetweenMarkers } from '../report/markdown.ts';
import { pageKinds } from '../report/palette.ts';
import { markdownTable, type Table } from '../report/table.ts';
import { documentsOf, indexTable, shapeOf, showReport } from '../shapes/run-report.ts';
import type { Registry } from '../shapes/shape.ts';
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
      await refresh(registry);
    });
}

/** Refreshes every REPORT.md with its pictures, and in the README the finding of the first experiment. */
async function refresh(registry: Registry): Promise<void> {
  for (const { name } of registry.experiments) {
    const paths = await refreshDocuments(registry, join(experimentsDirectory, name));
    for (const path of paths) console.log(`refreshed: ${path}`);
  }
  const index = indexDocument(registry);
  for (const [path, text] of [...index, ...(await findingDocuments(registry, readmePath))]) {
    makeDirectory(dirname(path));
    writeFileSync(path, text);
    console.log(`refreshed: ${path}`);
  }
}

/** The index of the experiments with today's answers, by its path; none without an index. */
export function indexDocument(registry: Registry): Map<string, string> {
  const path = join(experimentsDirectory, 'README.md');
  if (!existsSync(path)) return new Map();
  const table = indexTable(registry, (name) => readArchived(join(experimentsDirectory, name)));
  const text = replaceBetweenMarkers(readFileSync(path, 'utf8'), 'index', tableText(table));
  return text === null ? new Map() : new Map([[path, text]]);
}

/**
 * The README with the newest finding of the first experiment, and the picture of it for light and for dark
 * pages, by their paths; none without a README or a finding.
 */
export async function findingDocuments(registry: Registry, readme: string): Promise<Map<string, string>> {
  const [first] = registry.experiments;
  const [newest] = first === undefined ? [] : readArchived(join(experimentsDirectory, first.name));
  if (newest === undefined || !existsSync(readme)) return new Map();
  const finding = await shapeOf(newest, registry).finding?.(newest);
  const text =
    finding && replaceBetweenMarkers(readFileSync(readme, 'utf8'), 'finding', tableText(finding.table));
  if (!text) return new Map();
  const { plot } = finding;
  if (plot === null) return new Map([[readme, text]]);
  const { svgFile } = await import('../report/plot.ts');
  const pictures = pageKinds.map((kind) => {
    return [join(dirname(readme), 'docs', 'images', `finding-${kind}.svg`), svgFile(plot, kind)] as const;
  });
  return new Map([[readme, text], ...pictures]);
}

function tableText(table: Table): string {
  return `\n${markdownTable(table)}`;
}

/** Writes the documents of an experiment, removes pictures of older runs, and returns the paths written. */
export async function refreshDocuments(registry: Registry, directory: string): Promise<string[]> {
  const documents = await documentsOf(readArchived(directory), registry);
  for (const path of picturesIn(directory)) if (!documents.has(path)) rmSync(join(directory, path));
  return [...documents].map(([name, text]) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  });
}

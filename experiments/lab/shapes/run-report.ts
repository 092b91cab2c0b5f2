/** The reports of a run, as its shape makes them, and the documents of an experiment. */
import { join } from 'node:path';
import { makeDirectory, writeWhole } from '#host/whole-file.ts';
import { InputError } from '../input-error.ts';
import type { Run } from '../records/schema.ts';
import { htmlReport } from '../report/html.ts';
import { markdownReport, type Reported } from '../report/markdown.ts';
import { left, type Table, tableOf, terminalTable, withoutDetails } from '../report/table.ts';
import type { Registry, Shape } from './shape.ts';

/** The shape that a run's file names. Throws an `InputError` where this lab does not have it. */
export function shapeOf({ record }: Run, { shapes }: Registry): Shape {
  const shape = shapes.find(({ name }) => name === record.shape);
  if (shape !== undefined) return shape;
  const known = shapes.map(({ name }) => name).join(', ');
  throw new InputError([`Give a run of a known shape: required one of ${known}; given ${record.shape}.`]);
}

/** Prints the table of a run, and writes its `report.html`, its `report.md` and the pictures of that. */
export async function showReport(run: Run, shape: Shape, resultsDirectory: string): Promise<void> {
  const content = shape.report(run);
  const plots = (await shape.plots?.(run)) ?? [];
  console.log(terminalTable(withoutDetails(content.summary)));
  const directory = join(resultsDirectory, run.record.run);
  const path = join(directory, 'report.html');
  makeDirectory(directory);
  writeWhole(path, htmlReport(run, content, plots));
  writeWhole(join(directory, 'report.md'), markdownReport({ run, content }, plots, [], ''));
  await writePictures(plots, directory);
  console.log(`\nreport: ${path}`);
}

/** A row for each experiment: its question and its answer, the first sentence of its report. */
export function indexTable(registry: Registry, runsOf: (experiment: string) => readonly Run[]): Table {
  const rows = registry.experiments.map(({ name, question }) => {
    const newest = newestOf(runsOf(name), registry);
    if (newest === undefined)
      return { link: `${name}/experiment.ts`, name, question, answer: 'no archived run yet' };
    const [answer] = shapeOf(newest, registry).report(newest).answer;
    return { link: `${name}/REPORT.md`, name, question: newest.record.question, answer };
  });
  return tableOf(rows, [
    left('experiment', ({ name, link }) => `[${name}](${link})`),
    left('question', ({ question }) => question),
    left('answer', ({ answer }) => answer),
  ]);
}

/** A run at given loads (`--loads`) answers another question than the experiment: it is the last choice. */
function newestOf(runs: readonly Run[], { experiments }: Registry): Run | undefined {
  const own = experiments.find(({ name }) => name === runs[0]?.record.experiment)?.shape.name;
  return runs.find(({ record }) => record.shape === own) ?? runs[0];
}

/**
 * The documents of an experiment by their path in its directory: `REPORT.md`, and `results/<name>.svg` of the
 * newest run. `runs` are its archived runs, the newest first; empty without any. The newest run of the
 * experiment’s own shape stands on top.
 */
export async function documentsOf(runs: readonly Run[], registry: Registry): Promise<Map<string, string>> {
  const newest = newestOf(runs, registry);
  if (newest === undefined) return new Map();
  const others = runs.filter((run) => run !== newest).map((run) => reportedOf(run, registry));
  const plots = (await shapeOf(newest, registry).plots?.(newest)) ?? [];
  const { svgFile } = await import('../report/plot.ts');
  const pictures = plots.flatMap((plot) =>
    plot.file === undefined ? [] : [[`results/${plot.file}.svg`, svgFile(plot)] as const],
  );
  return new Map([
    ['REPORT.md', markdownReport(reportedOf(newest, registry), plots, others, 'results/')],
    ...pictures,
  ]);
}

function reportedOf(run: Run, registry: Registry): Reported {
  return { run, content: shapeOf(run, registry).report(run) };
}

async function writePictures(plots: Awaited<ReturnType<NonNullable<Shape['plots']>>>, directory: string) {
  if (plots.length === 0) return;
  const { svgFile } = await import('../report/plot.ts');
  for (const plot of plots)
    if (plot.file !== undefined) writeWhole(join(directory, `${plot.file}.svg`), svgFile(plot));
}

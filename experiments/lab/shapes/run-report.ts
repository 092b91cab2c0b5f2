/** The reports of a run, as its shape makes them. */
import { join } from 'node:path';
import { makeDirectory, writeWhole } from '#host/whole-file.ts';
import { InputError } from '../input-error.ts';
import type { Run } from '../records/schema.ts';
import { htmlReport } from '../report/html.ts';
import { markdownReport } from '../report/markdown.ts';
import { terminalTable } from '../report/table.ts';
import type { Registry, Shape } from './shape.ts';

/** The shape that a run's file names. Throws an `InputError` where this lab does not have it. */
export function shapeOf({ record }: Run, { shapes }: Registry): Shape {
  const shape = shapes.find(({ name }) => name === record.shape);
  if (shape !== undefined) return shape;
  const known = shapes.map(({ name }) => name).join(', ');
  throw new InputError([`Give a run of a known shape: required one of ${known}; given ${record.shape}.`]);
}

/** Prints the table of a run, and writes its `report.html` and `report.md`. */
export async function showReport(run: Run, shape: Shape, resultsDirectory: string): Promise<void> {
  const content = shape.report(run);
  console.log(terminalTable(content.summary));
  const directory = join(resultsDirectory, run.record.run);
  const path = join(directory, 'report.html');
  makeDirectory(directory);
  writeWhole(path, htmlReport(run, content, (await shape.plots?.(run)) ?? []));
  writeWhole(join(directory, 'report.md'), `${markdownReport(run, content)}\n`);
  console.log(`\nreport: ${path}`);
}

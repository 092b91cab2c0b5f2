/** Writes the reports of a run beside its result files. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../records/schema.ts';
import { htmlReport } from './html.ts';
import { markdownReport } from './markdown.ts';

/** Writes `report.html` and `report.md` and returns the path of the first. */
export function writeReports(run: Run, directory: string): string {
  const path = join(directory, 'report.html');
  writeFileSync(path, htmlReport(run));
  writeFileSync(join(directory, 'report.md'), `${markdownReport(run)}\n`);
  return path;
}

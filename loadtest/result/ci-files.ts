/** The Markdown summary of a job of continuous integration. */
import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Appends it to the file, and to `$GITHUB_STEP_SUMMARY`, the page of the job, where that is set. */
export function appendSummary(path: string, text: string): void {
  const page = process.env.GITHUB_STEP_SUMMARY;
  const isOther = page !== undefined && page !== '' && resolve(page) !== resolve(path);
  for (const file of isOther ? [path, page] : [path]) appendFileSync(file, text);
}

/** The table at the end of a run. */
import type { Run } from '../records/schema.ts';
import { summaryTable } from './summary.ts';
import { terminalTable } from './table.ts';

/** Lines of text, without colour. */
export function terminalReport(run: Run): string {
  return terminalTable(summaryTable(run));
}

/** What a report says, whatever the shape of its experiment. Each rendering (terminal, Markdown, HTML) is made from it. */
import type { Table } from './table.ts';

export type ReportContent = {
  /** The answer first, then one sentence for each thing worth saying. */
  answer: string[];
  /** The table that answers the question. */
  summary: Table;
  /** How it was measured, a sentence each. */
  method: string[];
  /** Machine, versions and parameters: pairs of a name and a value. */
  environment: [string, string][];
  /** What limits the validity of the numbers, a sentence each. */
  caveats: string[];
  /** Every trial, for the HTML page. */
  trials: Table;
};

/** The content of a report, the same for every shape. Terminal, Markdown and HTML are made from it. */
import type { Table } from './table.ts';

export type ReportContent = {
  /** The answer first, then one sentence for each thing worth saying. */
  answer: string[];
  /** The table that answers the question. */
  summary: Table;
  /** The method of measurement, a sentence each. */
  method: string[];
  /** Machine, versions and parameters: pairs of a name and a value. */
  environment: [string, string][];
  /** Limits of the validity of the numbers, a sentence each. */
  caveats: string[];
  /** Every trial, for the HTML page. */
  trials: Table;
};

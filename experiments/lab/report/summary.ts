/** A run in short as Markdown, for the summary page of a continuous integration. Pure. */
import type { Run } from '../records/schema.ts';
import { type ComparisonContent, comparisonBlocks } from './comparison.ts';
import { markdownTable, type ReportContent } from './table.ts';

/** Question, answer and table; ends with a newline, so that files can be appended to. */
export function runSummary({ record }: Run, { answer, summary }: ReportContent): string {
  const skipped = record.skipped.map(({ name, reason }) => `${name} was skipped: ${reason}.`);
  const list = [...answer, ...skipped].map((line) => `- ${line}`).join('\n');
  return blocks(`## ${record.experiment}`, record.question, list, markdownTable(summary));
}

/** The comparison with a baseline, or of two runs. */
export function comparisonSummary(experiment: string, content: ComparisonContent): string {
  return blocks(`## ${experiment}: comparison`, ...comparisonBlocks(content, markdownTable));
}

function blocks(...parts: string[]): string {
  return `${parts.join('\n\n')}\n\n`;
}

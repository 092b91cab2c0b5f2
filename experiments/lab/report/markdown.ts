/** The part of a REPORT.md that is generated, and how it is put between its markers. Pure. */
import type { Run } from '../records/schema.ts';
import { answerOf, caveatsOf, methodOf } from './answer.ts';
import { summaryTable } from './summary.ts';
import { markdownTable } from './table.ts';
import { environmentRows } from './trials.ts';

/** Answer, table, method, machine, caveats; headings begin at the second level. */
export function markdownReport(run: Run): string {
  const { record } = run;
  const bullets = (items: readonly string[]) => items.map((item) => `- ${item}`).join('\n');
  const skipped = record.skipped.map(({ name, reason }) => `${name} was skipped: ${reason}.`);
  return [
    `## ${record.startedAt.slice(0, 10)}, ${record.target} target`,
    bullets([...answerOf(run), ...skipped]),
    markdownTable(summaryTable(run)),
    '### How it was measured',
    bullets(methodOf(run)),
    bullets(environmentRows(run).map(([name, value]) => `${name}: ${value}`)),
    '### What would make these numbers wrong',
    bullets(caveatsOf(run)),
  ].join('\n\n');
}

/** Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`; null where the markers are not there. */
export function replaceBetweenMarkers(text: string, name: string, content: string): string | null {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) return null;
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

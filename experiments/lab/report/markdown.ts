/** The part of a REPORT.md that is generated, and its place between markers. Pure. */
import type { Run } from '../records/schema.ts';
import { markdownTable, type ReportContent } from './table.ts';

/** Answer, table, method, machine, caveats; headings begin at the second level. */
export function markdownReport({ record }: Run, content: ReportContent): string {
  const skipped = record.skipped.map(({ name, reason }) => `${name} was skipped: ${reason}.`);
  return [
    `## ${record.startedAt.slice(0, 10)}, ${record.target} target`,
    bullets([...content.answer, ...skipped]),
    markdownTable(content.summary),
    '### How it was measured',
    bullets(content.method),
    bullets(content.environment.map(([name, value]) => `${name}: ${value}`)),
    '### What limits these numbers',
    bullets(content.caveats),
  ].join('\n\n');
}

/**
 * Replaces the text between `<!-- name:begin -->` and `<!-- name:end -->`; null where a marker is missing.
 */
export function replaceBetweenMarkers(text: string, name: string, content: string): string | null {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) return null;
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

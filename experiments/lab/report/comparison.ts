/** A comparison of two runs as text. Pure. */
import type { Unit } from '../analysis/compare.ts';
import { type Judgement, level } from '../analysis/judge.ts';
import type { Run } from '../records/schema.ts';
import { formatMagnitude, formatMs, formatNumber, formatShare } from './format.ts';
import { left, right, type Table, tableOf, terminalTable } from './table.ts';

/** All that a reader of a comparison is told. */
export type ComparisonContent = {
  /** One sentence each: what is compared, and what differs although it should not. */
  notes: readonly string[];
  rows: readonly Judgement[];
  /** Where the margins come from, one sentence each. */
  margins: readonly string[];
};

const formats = { ms: formatMs, magnitude: formatMagnitude, number: formatNumber };

/** How the verdicts are found, for the reader. */
const method = [
  `Better or worse: p is below ${level}. p: twice the probability that b ÷ a is not beyond the margin, corrected by Holm for the number of rows. It comes from the posteriors of both thresholds (capacity), Welch’s difference of logarithms (other figures) or Fisher’s exact test (failed trials).`,
  'The interval is of 90 %. Verdicts in parentheses only explain; the others decide the exit code.',
];

/** Notes, table and method for the terminal. */
export function comparisonReport(
  content: ComparisonContent,
  print: (table: Table) => string = terminalTable,
): string {
  const { notes, rows, margins } = content;
  return [...notes, '', print(comparisonTable(rows)), '', ...method, ...margins].join('\n');
}

/** Notes, table and method as a list of Markdown blocks. */
export function comparisonBlocks(content: ComparisonContent, table: (rows: Table) => string): string[] {
  const { notes, rows, margins } = content;
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');
  return [list(notes), table(comparisonTable(rows)), list([...method, ...margins])];
}

/** Name and code of a run, as one sentence. */
export function sideNote(name: 'a' | 'b', { record }: Run): string {
  const { gitCommit, gitDirty } = record.environment;
  const code = gitCommit == null ? 'of unknown code' : `of commit ${gitCommit.slice(0, 12)}`;
  const changes = gitDirty ? ' with uncommitted changes' : '';
  const partial = record.interrupted ? '; it was interrupted' : '';
  return `${name}: ${record.run}, ${code}${changes}${partial}`;
}

/** The verdict of a row, in parentheses where it decides nothing. */
export function verdictText({ verdict, decides, why }: Judgement): string {
  const text = why ?? verdict;
  return decides ? text : `(${text})`;
}

/** b ÷ a with its interval and p, as one text; null where there is none. */
export function ratioText({ ratio }: Judgement): string | null {
  return ratio && `${formatNumber(ratio.low)}–${boundText(ratio.high)}`;
}

function comparisonTable(rows: readonly Judgement[]): Table {
  return tableOf(rows, [
    left('variant', ({ variant }) => variant),
    left('metric', ({ metric }) => metric),
    right('a', (row) => figureText(row, 'a')),
    right('b', (row) => figureText(row, 'b')),
    right('b ÷ a', ({ ratio }) => ratio && formatNumber(ratio.middle)),
    right('interval', ratioText),
    right('margin', ({ ratio, margin }) => ratio && formatShare(margin)),
    right('p', ({ p }) => (p === null ? null : formatP(p))),
    left('verdict', verdictText),
  ]);
}

/** The figure of one side; `≥` where it is only a lower bound. */
export function figureText(row: Judgement, side: 'a' | 'b'): string | null {
  const { [side]: value, unit, atLeast } = row;
  if (value === null) return null;
  const text = formats[unit as Unit](value);
  return atLeast?.includes(side) ? `≥ ${text}` : text;
}

function formatP(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}

function boundText(value: number): string {
  return Number.isFinite(value) ? formatNumber(value) : '∞';
}

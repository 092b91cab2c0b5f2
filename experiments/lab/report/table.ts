/** The content of a report: its sentences and tables, and a table as text for a terminal or for Markdown. */
import { type Paint, unpainted } from '#host/paint.ts';

export type Table = {
  columns: readonly {
    title: string;
    align: 'left' | 'right';
    /** Left out where there is no room: on a terminal, and in the first table of a REPORT.md. */
    isDetail?: boolean;
  }[];
  rows: readonly (readonly string[])[];
};
export type NamedTable = { title: string; table: Table };
/** The same for every shape. Terminal, Markdown and HTML are made from it. */
export type ReportContent = {
  /** The answer in the first two sentences, then one for each thing worth saying. */
  answer: string[];
  /** The table that answers the question: at most 8 columns that are no detail. */
  summary: Table;
  /** Tables of what only some runs have. */
  more?: NamedTable[];
  /** The method of measurement, a sentence each. */
  method: string[];
  /** Machine, versions and parameters: pairs of a name and a value. */
  environment: [string, string][];
  /** Limits of the validity of the numbers, a sentence each. */
  caveats: string[];
  /** Every trial. */
  trials: Table;
};

/** A column with the text of its cell for one item; a cell without a value is shown as `–`. */
export type Column<Item> = Table['columns'][number] & { cell: (item: Item) => string | null | undefined };

/** A column of text. */
export function left<Item>(title: string, cell: Column<Item>['cell']): Column<Item> {
  return { title, align: 'left', cell };
}

/** A column of numbers. */
export function right<Item>(title: string, cell: Column<Item>['cell']): Column<Item> {
  return { title, align: 'right', cell };
}

/** The same column where there is room only. */
export function detail<Item>(column: Column<Item>): Column<Item> {
  return { ...column, isDetail: true };
}

/** One row for each item. */
export function tableOf<Item>(items: readonly Item[], columns: readonly Column<Item>[]): Table {
  return {
    columns: columns.map(({ title, align, isDetail = false }) => ({ title, align, isDetail })),
    rows: items.map((item) => columns.map(({ cell }) => cell(item) ?? '–')),
  };
}

/** Without its details. */
export function withoutDetails(table: Table): Table {
  return columnsOf(table, ({ isDetail = false }) => !isDetail);
}

/** The first column and the details; null where there are none. */
export function detailsOf(table: Table): Table | null {
  if (!table.columns.some(({ isDetail }) => isDetail)) return null;
  return columnsOf(table, ({ isDetail = false }, index) => isDetail || index === 0);
}

/** The same in several tables of at most so many columns; each begins with the first of them. */
export function splitTable(table: Table, columnsMax: number): Table[] {
  const count = Math.max(1, Math.ceil((table.columns.length - 1) / (columnsMax - 1)));
  const each = Math.ceil((table.columns.length - 1) / count);
  return Array.from({ length: count }, (_, part) =>
    columnsOf(table, (_column, index) => index === 0 || Math.ceil(index / each) === part + 1),
  );
}

function columnsOf(
  { columns, rows }: Table,
  isWanted: (column: Table['columns'][number], index: number) => boolean,
) {
  const wanted = columns.map(isWanted);
  return {
    columns: columns.filter((_, index) => wanted[index]),
    rows: rows.map((row) => row.filter((_, index) => wanted[index])),
  };
}

/**
 * Columns as wide as their widest cell, two spaces apart, with a rule under the titles. A cell may have
 * several lines. `paint` colours the cells that are an outcome.
 */
export function terminalTable({ columns, rows }: Table, paint: Paint = unpainted): string {
  const lines = [columns.map(({ title }) => title), ...rows].map(linesOf);
  const widths = columns.map((_, index) => Math.max(...lines.flat().map((cells) => cells[index]!.length)));
  const pad = (cell: string, index: number) => {
    const isLeft = columns[index]!.align === 'left';
    return paint(cell, isLeft ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!));
  };
  const line = (cells: readonly string[]) => cells.map(pad).join('  ').trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const [head = [], ...body] = lines;
  return [...head.map(line), rule, ...body.flat().map(line)].join('\n');
}

/** The lines of a row, each with a cell of every column. */
function linesOf(row: readonly string[]): string[][] {
  const cells = row.map((cell) => cell.split('\n'));
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => cells.map((cell) => cell[line] ?? ''));
}

/**
 * GitHub's Markdown; bars in cells are escaped. In a cell that begins with a figure its interval stands below
 * it; a unit stands beside its figure.
 */
export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownCell).join(' | ')} |`;
  const rule = `|${columns.map(({ align }) => (align === 'left' ? '---' : '---:')).join('|')}|`;
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join('\n');
}

function markdownCell(cell: string): string {
  return cell
    .replaceAll('|', '\\|')
    .replace(/^([^a-z(]*) (\([\d.,]+–)(?=[\d.,]+\))/, '$1<br>$2&NoBreak;')
    .replaceAll(/(?<=\d) (?=(?:[kMG]?B|[kMGs%]|ms)(?![\w]))/g, '&nbsp;')
    .replaceAll(/(?<=[≥≤~]) /g, '&nbsp;');
}

/** The content of a report: its sentences and tables, and a table as text for a terminal or for Markdown. */

export type Table = {
  columns: readonly { title: string; align: 'left' | 'right' }[];
  rows: readonly (readonly string[])[];
};
/** The same for every shape. Terminal, Markdown and HTML are made from it. */
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

/** A column with the text of its cell for one item; a cell without a value is shown as `–`. */
type Column<Item> = Table['columns'][number] & { cell: (item: Item) => string | null | undefined };

/** A column of text. */
export function left<Item>(title: string, cell: Column<Item>['cell']): Column<Item> {
  return { title, align: 'left', cell };
}

/** A column of numbers. */
export function right<Item>(title: string, cell: Column<Item>['cell']): Column<Item> {
  return { title, align: 'right', cell };
}

/** One row for each item. */
export function tableOf<Item>(items: readonly Item[], columns: readonly Column<Item>[]): Table {
  return {
    columns: columns.map(({ title, align }) => ({ title, align })),
    rows: items.map((item) => columns.map(({ cell }) => cell(item) ?? '–')),
  };
}

/** Columns as wide as their widest cell, two spaces apart, with a rule under the titles. */
export function terminalTable({ columns, rows }: Table): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]!.length)),
  );
  const pad = (cell: string, index: number) =>
    columns[index]!.align === 'left' ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!);
  const line = (cells: readonly string[]) => cells.map(pad).join('  ').trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join('\n');
}

/** GitHub's Markdown; bars in cells are escaped. */
export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${columns.map(({ align }) => (align === 'left' ? '---' : '---:')).join('|')}|`;
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join('\n');
}

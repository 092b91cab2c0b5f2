/** Tables: their columns, and their text for a terminal or for Markdown. */

export type Table = {
  columns: readonly { title: string; align: 'left' | 'right' }[];
  rows: readonly (readonly string[])[];
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

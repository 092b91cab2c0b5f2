/** Tables as lines of text: aligned for a terminal, or with bars for Markdown. */

export type Column = { title: string; align: 'left' | 'right' };
export type Table = { columns: readonly Column[]; rows: readonly (readonly string[])[] };

/** A column of text. */
export function left(title: string): Column {
  return { title, align: 'left' };
}

/** A column of numbers. */
export function right(title: string): Column {
  return { title, align: 'right' };
}

/** Columns as wide as their widest cell, two spaces apart, with a rule under the titles. */
export function terminalTable(table: Table): string {
  const widths = table.columns.map((column, index) =>
    Math.max(column.title.length, ...table.rows.map((row) => row[index]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) =>
        table.columns[index]!.align === 'left' ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(table.columns.map(({ title }) => title)), rule, ...table.rows.map(line)].join('\n');
}

/** GitHub's Markdown; bars in cells are escaped. */
export function markdownTable(table: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${table.columns.map(({ align }) => (align === 'left' ? '---' : '---:')).join('|')}|`;
  return [line(table.columns.map(({ title }) => title)), rule, ...table.rows.map(line)].join('\n');
}

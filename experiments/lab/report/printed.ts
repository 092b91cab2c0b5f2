/** A table as it is printed: in the width and the colours of where it goes. */
import { paintFor } from '#host/paint.ts';
import { fitTable } from './fit.ts';
import { type Table, terminalTable, withoutDetails } from './table.ts';

/** Columns of a terminal whose size is not known. */
const columnsUsual = 80;

/**
 * On a terminal it fits its width, and a line says what is left out. In a pipe a row is one line, for the
 * programs that read it. `isWide` shows every column, however wide that is.
 */
export function printedTable(
  table: Table,
  stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number },
  isWide = false,
): string {
  const paint = paintFor(stream);
  if (isWide) return terminalTable(table, paint);
  if (stream.isTTY !== true) return terminalTable(withoutDetails(table), paint);
  const { table: fitted, hidden } = fitTable(table, stream.columns || columnsUsual);
  const more = hidden.length === 0 ? '' : `${hidden.length} more columns with --wide; `;
  return `${terminalTable(fitted, paint)}\n\n${more}report --explain says what the columns mean`;
}

/** A table on standard output without a hint on more columns: it has none. */
export function toTerminal(table: Table): string {
  const { stdout } = process;
  const fitted = stdout.isTTY ? fitTable(table, stdout.columns || columnsUsual).table : table;
  return terminalTable(fitted, paintFor(stdout));
}

/** A table for a terminal of so many columns: cells break at spaces, then columns are left out. Pure. */
import { type Table, withoutDetails } from './table.ts';

const gap = 2;

/** The table in that width, and the titles of the columns that are not in it. */
export type FittedTable = { table: Table; hidden: string[] };

/**
 * Details are left out first; then cells break at spaces, widest column first; then whole columns go, from
 * the right, but never the first and the last: they say what a row is about and how it ended.
 */
export function fitTable(whole: Table, width: number): FittedTable {
  let table = withoutDetails(whole);
  while (narrowest(table) > width && table.columns.length > 2)
    table = withoutColumn(table, table.columns.length - 2);
  const shown = table.columns.map(({ title }) => title);
  const hidden = whole.columns.map(({ title }) => title).filter((title) => !shown.includes(title));
  const widths = narrowed(table, width);
  return {
    table: {
      columns: table.columns.map((column, index) => ({
        ...column,
        title: broken(column.title, widths[index]!),
      })),
      rows: table.rows.map((row) => row.map((cell, index) => broken(cell, widths[index]!))),
    },
    hidden,
  };
}

/** The width in which every cell is broken wherever it can be. */
function narrowest(table: Table): number {
  return total(columnTexts(table).map((texts) => Math.max(...texts.map(longestWord))));
}

/** Width of each column, so that together they are at most that wide where that is possible. */
function narrowed(table: Table, width: number): number[] {
  const texts = columnTexts(table);
  const widths = texts.map((column) => Math.max(...column.map(({ length }) => length)));
  const least = texts.map((column) => Math.max(...column.map(longestWord)));
  while (total(widths) > width) {
    const spare = widths.map((one, index) => one - least[index]!);
    const most = Math.max(...spare);
    if (most <= 0) break;
    widths[spare.indexOf(most)]!--;
  }
  return widths;
}

function columnTexts({ columns, rows }: Table): string[][] {
  return columns.map(({ title }, index) => [title, ...rows.map((row) => row[index]!)]);
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1);
}

function longestWord(text: string): number {
  return Math.max(...wordsOf(text).map(({ length }) => length));
}

/** A number and its unit stay together. */
function wordsOf(text: string): string[] {
  return text.split(/ (?!%)/);
}

function withoutColumn({ columns, rows }: Table, at: number): Table {
  const others = (_: unknown, index: number) => index !== at;
  return { columns: columns.filter(others), rows: rows.map((row) => row.filter(others)) };
}

/** With line breaks in place of spaces, so that no line is wider. */
function broken(text: string, width: number): string {
  const lines = [''];
  for (const word of wordsOf(text)) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/**
 * The lines that were printed last, as far as they are still on the screen: which of them can be drawn
 * again.
 */

/** A line as it stands on the screen; `text` may have styles and line breaks. */
export type PrintedLine = { text: string };

/** ANSI styles, which take no columns. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: styles are control sequences
const stylePattern = /\u001b\[[\d;]*m/g;
/**
 * Characters that take one column on every terminal: of Latin, Greek and Cyrillic script, and signs that this
 * client writes. How many columns another one takes differs from terminal to terminal.
 */
const certain =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f‐-‧\u2190-\u21ff\u2400-\u2421]*$/;

export class PrintedLines {
  #lines: PrintedLine[] = [];
  #columns = 0;

  /** Adds lines that were printed at this width. More than `rows` of them cannot be on the screen. */
  add(lines: readonly PrintedLine[], columns: number, rows: number): void {
    // Lines of another width have been wrapped again, each terminal in its own way.
    if (columns !== this.#columns) this.#lines = [];
    this.#columns = columns;
    this.#lines = rows > 0 ? [...this.#lines, ...lines].slice(-rows) : [];
  }

  /**
   * The lines from the first of these on, and the rows that they take; undefined where that cannot be
   * known, or is more than `rowsMax`. Call it before their texts change.
   */
  from(changed: ReadonlySet<PrintedLine>, columns: number, rowsMax: number) {
    const first = this.#lines.findIndex((line) => changed.has(line));
    if (first === -1 || columns !== this.#columns) return undefined;
    const lines = this.#lines.slice(first);
    let rows = 0;
    for (const { text } of lines) {
      const taken = rowsOf(text, columns);
      if (taken === undefined) return undefined;
      rows += taken;
    }
    return rows <= rowsMax ? { lines, rows } : undefined;
  }
}

/** The rows that a text takes; undefined where it holds a character of unknown width. */
function rowsOf(text: string, columns: number): number | undefined {
  let rows = 0;
  for (const line of text.replace(stylePattern, '').split('\n')) {
    if (!certain.test(line)) return undefined;
    rows += Math.max(1, Math.ceil(line.length / columns));
  }
  return rows;
}

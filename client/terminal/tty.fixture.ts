/** A terminal for tests: enough of a VT100 to compute what a user would see. */
import { PassThrough, Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';

export class Tty {
  readonly input = new PassThrough() as unknown as ReadStream;
  readonly output: WriteStream;
  readonly #columns: number;
  /** Rows of cells. Text that wraps continues in a new row. */
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows = 50) {
    this.#columns = columns;
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        this.#draw(String(chunk));
        output.emit('drawn', String(chunk));
        done();
      },
    });
    this.output = Object.assign(output, {
      columns,
      rows,
      isTTY: true,
      clearScreenDown: () => output.write('\u001b[0J'),
    }) as unknown as WriteStream;
  }

  /** Types a text; `\r` is Enter. */
  type(text: string): void {
    (this.input as unknown as PassThrough).write(text);
  }

  /** The rows on the screen, without blanks at their ends and without empty rows at the bottom. */
  get screen(): string[] {
    const rows = this.#rows.map((row) => row.join('').trimEnd());
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  #draw(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is controlled by control characters
    for (const [part, parameter, command] of text.matchAll(/\u001b\[([\d;?]*)([A-Za-z])|./gsu)) {
      if (command !== undefined) this.#apply(command, parameter ?? '');
      else if (part === '\r') this.#column = 0;
      else if (part === '\n') this.#down();
      else this.#put(part);
    }
  }

  #put(character: string): void {
    if (this.#column === this.#columns) this.#down();
    const row = this.#rows[this.#row] ?? [];
    while (row.length < this.#column) row.push(' ');
    row[this.#column] = character;
    this.#column += 1;
  }

  /** A line feed on a terminal in its usual mode also returns to the first column. */
  #down(): void {
    this.#row += 1;
    if (this.#row === this.#rows.length) this.#rows.push([]);
    this.#column = 0;
  }

  #apply(command: string, parameter: string): void {
    const count = Number(parameter) || 1;
    if (command === 'A') this.#row = Math.max(0, this.#row - count);
    else if (command === 'B') this.#row = Math.min(this.#rows.length - 1, this.#row + count);
    else if (command === 'C') this.#column += count;
    else if (command === 'D') this.#column = Math.max(0, this.#column - count);
    else if (command === 'G') this.#column = count - 1;
    else if (command === 'J') {
      this.#rows.length = this.#row + 1;
      this.#rows[this.#row]?.splice(this.#column);
    } else if (command === 'K') this.#rows[this.#row]?.splice(this.#column);
    else if (command !== 'm' && command !== 'h' && command !== 'l')
      throw new Error(`a control sequence that this terminal does not know: ${command}`);
  }
}

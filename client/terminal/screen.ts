/** The input line of a terminal, the lines above it, and the state of the connection between them. */
import { createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';

const prompt = '> ';
/** A terminal that knows this mode marks what was pasted; another one ignores it. */
const pasteMode = { on: '\u001b[?2004h', off: '\u001b[?2004l' };

/**
 * All lines of one turn of the event loop are written together, so a busy room costs one redraw per turn, not
 * one per message.
 */
export class Screen {
  readonly lines: Interface;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #pending: string[] = [];
  #closed = false;
  #typedRows = 0;
  #status = '';
  #question = '';
  #isPasting = false;
  #pasted: string[] = [];

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
    this.lines = createInterface({ input, output, terminal: true, historySize: 1000, prompt });
    output.write(pasteMode.on);
    this.lines.once('close', () => {
      this.#closed = true;
      output.write(pasteMode.off);
    });
  }

  /** Columns of the terminal; a pseudo-terminal without a size reports 0. */
  get columns(): number {
    return this.#output.columns || 80;
  }

  /**
   * Calls `act` with each line after Enter, and removes it from the screen: its echo will be printed. Calls
   * `paste` with the lines of a paste that has several.
   */
  onTyped(act: (line: string) => void, paste: (lines: readonly string[]) => void): void {
    // Readline no longer knows the height of the input when it emits the line; it does at the key press.
    this.#input.prependListener('keypress', (_text, key?: { name?: string }) => {
      if (key?.name === 'return' || key?.name === 'enter') this.#typedRows = this.#inputRows();
      if (key?.name === 'paste-start') this.#isPasting = true;
      if (key?.name === 'paste-end') this.#endPaste(paste);
    });
    this.lines.on('line', (line) => {
      moveCursor(this.#output, 0, -this.#typedRows);
      this.#output.clearScreenDown();
      if (this.#isPasting) this.#pasted.push(line);
      else act(line);
      if (!this.#closed) this.lines.prompt();
    });
  }

  print(line: string): void {
    if (this.#pending.push(line) === 1) setImmediate(() => this.#flush());
  }

  /** A line that stays above the input until it is replaced; empty for none. */
  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    this.#redraw();
  }

  /** Stands in place of the prompt until the next line; empty for the prompt. */
  ask(question: string): void {
    this.#question = question;
    this.#redraw();
  }

  close(): void {
    this.#flush();
    if (this.#closed) return;
    this.#clearInput();
    this.lines.close();
  }

  /** A paste of one line stays in the input, to be edited. */
  #endPaste(paste: (lines: readonly string[]) => void): void {
    this.#isPasting = false;
    const lines = this.#pasted.splice(0);
    if (lines.length === 0) return;
    const rest = this.lines.line;
    if (rest !== '') lines.push(rest);
    this.lines.write(null, { ctrl: true, name: 'e' });
    this.lines.write(null, { ctrl: true, name: 'u' });
    paste(lines);
  }

  #redraw(): void {
    if (this.#closed) return;
    this.#clearInput();
    this.lines.setPrompt((this.#status === '' ? '' : `${this.#status}\n`) + (this.#question || prompt));
    this.#drawInput();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const text = `${this.#pending.join('\n')}\n`;
    this.#pending = [];
    if (this.#closed) return void this.#output.write(text);
    this.#clearInput();
    this.#output.write(text);
    this.#drawInput();
  }

  #drawInput(): void {
    // Readline redraws from `prevRows` rows above the cursor, and the cursor is on the first row now.
    (this.lines as { prevRows?: number }).prevRows = 0;
    this.lines.prompt(true);
  }

  #clearInput(): void {
    moveCursor(this.#output, 0, -this.lines.getCursorPos().rows);
    cursorTo(this.#output, 0);
    this.#output.clearScreenDown();
  }

  /** The number of rows of prompt and input; moves the cursor to their end. */
  #inputRows(): number {
    this.lines.write(null, { ctrl: true, name: 'e' });
    return this.lines.getCursorPos().rows + 1;
  }
}

/** The input line of a terminal, the lines above it, and the state of the connection between them. */
import { createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { type PrintedLine, PrintedLines } from './printed-lines.ts';

type KeyHandler = (text: string | undefined, key: { name?: string; ctrl?: boolean; meta?: boolean }) => void;

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
  #pending: PrintedLine[] = [];
  readonly #printed = new PrintedLines();
  /** Lines on the screen, and their new texts. */
  readonly #changed = new Map<PrintedLine, string>();
  #isDue = false;
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

  /** Prints a line; it can be changed later, while it is on the screen. */
  print(text: string): PrintedLine {
    const line = { text };
    this.#pending.push(line);
    this.#flushSoon();
    return line;
  }

  /**
   * Writes another text in place of a line; false, and nothing done, where it is not on the screen any
   * more.
   */
  change(line: PrintedLine, text: string): boolean {
    if (this.#pending.includes(line)) {
      line.text = text;
      return true;
    }
    if (this.#closed || !this.#visibleFrom(new Set([line]))) return false;
    this.#changed.set(line, text);
    this.#flushSoon();
    return true;
  }

  /** Asks for a line that is not shown while it is typed; undefined if the person gives up. */
  askSecret(question: string): Promise<string | undefined> {
    // Readline lets its key handler be replaced: it never gets to know what is typed.
    const lines = this.lines as unknown as { _ttyWrite: KeyHandler };
    const usual = lines._ttyWrite;
    this.ask(question);
    return new Promise((resolve) => {
      let typed = '';
      const end = (answer: string | undefined): void => {
        lines._ttyWrite = usual;
        this.lines.off('close', give);
        this.ask('');
        resolve(answer);
      };
      const give = (): void => end(undefined);
      this.lines.once('close', give);
      lines._ttyWrite = (text, key) => {
        const isEmpty = typed === '';
        if (key.name === 'return' || key.name === 'enter') end(typed);
        else if (key.ctrl) {
          if (key.name === 'c' || (key.name === 'd' && isEmpty)) give();
          else if (key.name === 'u') typed = '';
        } else if (key.name === 'escape') give();
        else if (key.name === 'backspace') typed = [...typed].slice(0, -1).join('');
        else if (!key.meta && text !== undefined && !/\p{Cc}/u.test(text)) typed += text;
      };
    });
  }

  /** Calls `act` after each key, with what stands in the input. */
  onEdited(act: (input: string) => void): void {
    this.#input.on('keypress', () => act(this.lines.line));
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
    this.#isDue = false;
    const lines = this.#pending;
    if (lines.length === 0 && this.#changed.size === 0) return;
    this.#pending = [];
    if (this.#closed) return void this.#output.write(textOf(lines));
    const changed = this.#visibleFrom(new Set(this.#changed.keys()));
    for (const [line, text] of this.#changed) line.text = text;
    this.#changed.clear();
    this.#clearInput();
    if (changed) {
      moveCursor(this.#output, 0, -changed.rows);
      this.#output.clearScreenDown();
    }
    this.#output.write(textOf([...(changed?.lines ?? []), ...lines]));
    this.#printed.add(lines, this.columns, this.#rows);
    this.#drawInput();
  }

  #flushSoon(): void {
    if (!this.#isDue) setImmediate(() => this.#flush());
    this.#isDue = true;
  }

  /** Rows of the terminal; 0 where it does not tell them. */
  get #rows(): number {
    return this.#output.rows || 0;
  }

  #visibleFrom(lines: ReadonlySet<PrintedLine>) {
    // The question, the status and what is typed; a character takes at most two columns.
    const typedRows = Math.ceil((2 * this.lines.line.length + this.#question.length) / this.columns) + 2;
    return this.#printed.from(lines, this.columns, this.#rows - typedRows);
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

const textOf = (lines: readonly PrintedLine[]): string => lines.map(({ text }) => `${text}\n`).join('');

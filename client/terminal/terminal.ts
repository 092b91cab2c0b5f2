/** The chat on a terminal: an input line at the bottom that stays whole while messages scroll above it. */
import { createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ChatClient } from '../core/chat-client.ts';
import { Outbox } from '../core/outbox.ts';
import { describeEnd } from '../core/reconnect.ts';
import { resumption } from '../core/resume.ts';
import { attempts, LineStyle, seconds } from './line-format.ts';
import type { ClientConfig } from './settings.ts';

type Settings = Pick<ClientConfig, 'roomName' | 'messageBytesMax' | 'messagesPerSecondMax' | 'echoWaitMs'>;
type TerminalOptions = Settings & {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly colours: boolean;
};

/** Left by command, interrupted by Ctrl-C, or closed by the server. */
export type TerminalEnd = 'left' | 'interrupted' | 'closed';

/** The most lines that may wait for a connection. Chosen, not measured. */
const waitingLinesMax = 100;
const helpText = '/quit or Ctrl-D leaves, the up arrow recalls, // sends a line that begins with one slash';

/** Runs until the user leaves or the client ends. */
export async function runTerminal(client: ChatClient, options: TerminalOptions): Promise<TerminalEnd> {
  const style = new LineStyle(options.colours);
  const screen = new Screen(options.input, options.output);
  const notice = (text: string): void => screen.print(style.notice(text, new Date()));
  const warning = (text: string): void => screen.print(style.warning(text, new Date()));
  const outbox = new Outbox(client, options.messagesPerSecondMax, (lines) => {
    warning(`perhaps not delivered: ${lines.map((line) => JSON.stringify(line)).join(', ')}`);
  });
  const left = new Promise<TerminalEnd>((resolve) => {
    screen.lines.on('close', () => resolve('left'));
    screen.lines.on('SIGINT', () => resolve('interrupted'));
    client.events.on('closed', ({ final }) => final && resolve('closed'));
  });

  client.events.on('connected', ({ again }) => {
    notice(`${again ? 'back' : 'you are'} in ${options.roomName} as ${client.clientId}`);
  });
  client.events.on('resumed', (event) => (event.complete ? notice : warning)(resumption(event)));
  client.events.on('message', (message) => {
    screen.print(style.message(message, outbox.isEcho(message), new Date()));
  });
  const stopClosed = client.events.on('closed', ({ end, final, gaveUpAfter }) => {
    const why =
      gaveUpAfter === undefined ? 'Trying again would not help' : `Gave up after ${attempts(gaveUpAfter)}`;
    warning(`${describeEnd(end)}${final ? `. ${why}.` : ''}`);
  });
  client.events.on('waiting', ({ waitMs, attempt }) => notice(`attempt ${attempt} in ${seconds(waitMs)}`));
  screen.onTyped((line) => {
    if (line === '/quit') return screen.lines.close();
    if (line === '/help') return notice(helpText);
    const refusal = refusalOf(line, outbox, options.messageBytesMax);
    if (refusal !== undefined) return warning(refusal);
    if (line.trim() === '') return;
    if (!client.connected) notice(`held until connected: ${line}`);
    void outbox.put(line.startsWith('//') ? line.slice(1) : line);
  });

  notice(`connecting. ${helpText}`);
  client.connect();
  const end = await left;
  stopClosed();
  if (end === 'left' && client.connected) await outbox.settle(options.echoWaitMs);
  screen.close();
  client.close();
  return end;
}

/** Why a line is not sent, in words; undefined if it can be sent. */
function refusalOf(line: string, outbox: Outbox, messageBytesMax: number): string | undefined {
  if (/^\/[^/]/.test(line)) return `${line.split(' ')[0]} is not a command; /help lists them`;
  const lineBytes = Buffer.byteLength(line);
  if (lineBytes > messageBytesMax) {
    return `not sent: it has ${lineBytes} bytes, the limit is ${messageBytesMax}. The up arrow recalls it`;
  }
  if (outbox.waitingCount < waitingLinesMax) return undefined;
  return `not sent: ${waitingLinesMax} lines are waiting. The up arrow recalls it`;
}

/**
 * The input line and the lines above it. All lines of one turn of the event loop are written together, so a
 * busy room costs one redraw per turn, not one per message.
 */
class Screen {
  readonly lines: Interface;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #pending: string[] = [];
  #closed = false;
  #typedRows = 0;

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
    this.lines = createInterface({ input, output, terminal: true, historySize: 1000, prompt: '> ' });
    this.lines.once('close', () => {
      this.#closed = true;
    });
  }

  /** Calls `act` with each line after Enter, and removes it from the screen: its echo will be printed. */
  onTyped(act: (line: string) => void): void {
    // Readline no longer knows the height of the input when it emits the line; it does at the key press.
    this.#input.prependListener('keypress', (_text, key?: { name?: string }) => {
      if (key?.name === 'return' || key?.name === 'enter') this.#typedRows = this.#inputRows();
    });
    this.lines.on('line', (line) => {
      moveCursor(this.#output, 0, -this.#typedRows);
      this.#output.clearScreenDown();
      act(line);
      if (!this.#closed) this.lines.prompt();
    });
  }

  print(line: string): void {
    if (this.#pending.push(line) === 1) setImmediate(() => this.#flush());
  }

  close(): void {
    this.#flush();
    if (this.#closed) return;
    this.#clearInput();
    this.lines.close();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const text = `${this.#pending.join('\n')}\n`;
    this.#pending = [];
    if (this.#closed) return void this.#output.write(text);
    this.#clearInput();
    this.#output.write(text);
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

/** The chat on a terminal: one input line that stays whole at the bottom while messages scroll above it. */
import { createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ChatClient } from '../core/chat-client.ts';
import { Outbox, type OutboxOptions } from '../core/outbox.ts';
import { describeEnd } from '../core/reconnect.ts';
import { LineStyle, seconds } from './line-format.ts';

export type TerminalOptions = {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly colours: boolean;
  /** What to call the room in the greeting. */
  readonly roomWords: string;
  readonly messageBytesMax: number;
  readonly outbox: OutboxOptions;
  /** How long the next echo may take after the person has left, in milliseconds. */
  readonly echoWaitMs: number;
};

export type Farewell = 'left' | 'interrupted' | 'closed';

/** Lines that may wait for a connection; a person who has typed more than that wants to know. */
const waitingLinesMax = 100;
const helpText = '/quit or Ctrl-D leaves, the up arrow recalls, // sends a line that begins with one slash';

/** Runs until the person leaves or the server ends it for good. */
export async function runTerminal(client: ChatClient, options: TerminalOptions): Promise<Farewell> {
  const style = new LineStyle(options.colours);
  const screen = new Screen(options.input, options.output);
  const notice = (text: string): void => screen.print(style.notice(text, new Date()));
  const trouble = (text: string): void => screen.print(style.trouble(text, new Date()));
  const outbox = new Outbox(client, options.outbox, (lines) => {
    trouble(`perhaps never heard: ${lines.map((line) => JSON.stringify(line)).join(', ')}`);
  });
  const left = new Promise<Farewell>((resolve) => {
    screen.lines.on('close', () => resolve('left'));
    screen.lines.on('SIGINT', () => resolve('interrupted'));
    client.events.on('closed', ({ final }) => final && resolve('closed'));
  });

  client.events.on('connected', ({ again }) => {
    notice(`${again ? 'back' : 'you are'} in ${options.roomWords} as ${client.clientId}`);
  });
  client.events.on('message', (message) => {
    screen.print(style.message(message, message.clientId === client.clientId, new Date()));
  });
  const onClosed = ({ end, final }: { end: Parameters<typeof describeEnd>[0]; final: boolean }): void => {
    trouble(`${describeEnd(end)}${final ? '. Trying again would not help.' : ''}`);
  };
  client.events.on('closed', onClosed);
  client.events.on('waiting', ({ waitMs, attempt }) => notice(`attempt ${attempt} in ${seconds(waitMs)}`));
  screen.onTyped((line) => {
    if (line === '/quit') return screen.lines.close();
    if (line === '/help') return notice(helpText);
    const refusal = refusalOf(line, outbox, options.messageBytesMax);
    if (refusal !== undefined) return trouble(refusal);
    if (line.trim() === '') return;
    if (!client.connected) notice(`held until connected: ${line}`);
    void outbox.put(line.startsWith('//') ? line.slice(1) : line);
  });

  notice(`connecting. ${helpText}`);
  client.connect();
  const farewell = await left;
  client.events.off('closed', onClosed);
  if (farewell === 'left' && client.connected) await outbox.settle(options.echoWaitMs);
  screen.close();
  client.close();
  return farewell;
}

/** Why a line is not sent, in words; undefined when it may go. */
function refusalOf(line: string, outbox: Outbox, messageBytesMax: number): string | undefined {
  if (/^\/[^/]/.test(line)) return `${line.split(' ')[0]} is not a command; /help names them`;
  const lineBytes = Buffer.byteLength(line);
  if (lineBytes > messageBytesMax) {
    return `not sent: it has ${lineBytes} bytes, at most ${messageBytesMax} may go. The up arrow brings it back`;
  }
  if (outbox.waitingCount < waitingLinesMax) return undefined;
  return `not sent: ${waitingLinesMax} lines wait already. The up arrow brings it back`;
}

/**
 * The input line and what scrolls above it. Everything printed in one turn of the event loop is written at once, so a
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

  /** Hands over each line after Enter, and takes it off the screen: it comes back as a message, in its place. */
  onTyped(act: (line: string) => void): void {
    // Readline forgets how tall the input was before it tells us the line, so it is measured as the key arrives.
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
    if (!this.#closed) {
      this.#clearInput();
      this.lines.close();
    }
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const text = `${this.#pending.join('\n')}\n`;
    this.#pending = [];
    if (this.#closed) {
      this.#output.write(text);
      return;
    }
    this.#clearInput();
    this.#output.write(text);
    // Redrawing begins by moving up the rows that readline believes the cursor to be down; it is down none now.
    (this.lines as { prevRows?: number }).prevRows = 0;
    this.lines.prompt(true);
  }

  #clearInput(): void {
    moveCursor(this.#output, 0, -this.lines.getCursorPos().rows);
    cursorTo(this.#output, 0);
    this.#output.clearScreenDown();
  }

  /** Rows that prompt and input take; moves the cursor to their end. */
  #inputRows(): number {
    this.lines.write(null, { ctrl: true, name: 'e' });
    return this.lines.getCursorPos().rows + 1;
  }
}

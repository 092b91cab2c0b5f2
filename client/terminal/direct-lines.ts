/** Messages between persons on a terminal: their lines, their marks, and who writes just now. */
import type { DirectMessage } from '#protocol';
import type { PersonClient } from '../core/person-client.ts';
import type { Mark, SentMessage } from '../core/sent-messages.ts';
import type { LineStyle } from './line-format.ts';
import type { PrintedLine } from './printed-lines.ts';
import type { Screen } from './screen.ts';

/** So many lines keep their marks up to date. Chosen, not measured. */
const linesMax = 500;

type Line = { readonly printed: PrintedLine; readonly at: Date };

/** How far a message has come, in words. */
export function markWords({ to, mark }: Pick<SentMessage, 'to' | 'mark'>): string {
  const words: Partial<Record<Mark, string>> = {
    waiting: 'waits for the connection',
    full: `not delivered: the mailbox of ${to} is full`,
    unknown: `not delivered: nobody has the name ${to}`,
  };
  return words[mark] ?? mark;
}

export class DirectLines {
  readonly #person: PersonClient;
  readonly #screen: Screen;
  readonly #style: LineStyle;
  readonly #notice: (text: string) => void;
  readonly #lines = new Map<string, Line>();
  /** By person: the message whose mark has changed last and whose line is not on the screen any more. */
  readonly #told = new Map<string, SentMessage>();

  constructor(person: PersonClient, screen: Screen, style: LineStyle, notice: (text: string) => void) {
    this.#person = person;
    this.#screen = screen;
    this.#style = style;
    this.#notice = notice;
    person.events.on('message', (message) => this.#show(message));
    person.events.on('mark', (message) => this.#onMark(message));
  }

  /** Sends a message to a person, and shows it; false where too many wait. */
  say(to: string, text: string): boolean {
    const message = this.#person.say(to, text);
    if (!message) return false;
    const at = new Date();
    this.#lines.set(message.id, { printed: this.#screen.print(this.#textOf(message, at)), at });
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > linesMax) this.#lines.delete(oldest!);
    return true;
  }

  /** A line on the screen counts as read. */
  #show(message: DirectMessage): void {
    const { from: who, Message: text, sentAtMs } = message;
    this.#screen.print(
      this.#style.direct({ who, to: 'you', text, sentAtMs }, new Date(), this.#screen.columns),
    );
    this.#person.markRead(message);
  }

  #onMark(message: SentMessage): void {
    const line = this.#lines.get(message.id);
    if (line && this.#screen.change(line.printed, this.#textOf(message, line.at))) return;
    // Each step that follows at once would be a line of its own.
    if (message.mark === 'sent') return;
    this.#told.set(message.to, message);
    if (this.#told.size === 1) setImmediate(() => this.#tell());
  }

  #tell(): void {
    for (const message of this.#told.values())
      this.#notice(`to ${message.to}: ${JSON.stringify(shortened(message.text))} · ${markWords(message)}`);
    this.#told.clear();
  }

  #textOf(message: SentMessage, at: Date): string {
    const who = this.#person.account.user ?? this.#person.chat.clientId;
    const { to, text } = message;
    return this.#style.direct({ who, to, text, mark: markWords(message) }, at, this.#screen.columns);
  }
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > 24 ? `${characters.slice(0, 24).join('')}…` : text;
}

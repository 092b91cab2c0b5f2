/** A conversation as rows: messages, lines of the page itself, and where the person stopped reading. */
import type { ChatMessage } from '#protocol';
import { make } from './elements.ts';
import { type ListView, RowList } from './row-list.ts';
import { bodyOf, headOf, noteRow } from './row-parts.ts';

/** The mark of a message to a person: `id` names the message when the mark changes. */
export type RowMark = { readonly id: string; readonly words: string };

type Line =
  | {
      readonly kind: 'message';
      readonly message: ChatMessage;
      readonly own: boolean;
      readonly at: Date;
      readonly mark?: RowMark;
    }
  | { readonly kind: 'note' | 'warning'; readonly text: string; readonly at: Date };

/** The most rows that the page keeps. Chosen: an hour of a busy room. */
const rowsMax = 10_000;
/** The name is said again after so long. */
const groupMs = 5 * 60_000;

export class MessageList {
  readonly #list: RowList<Line>;
  /** By the id of a message: its words, and where they stand once it is a row. */
  readonly #marks = new Map<string, { words: string; element: HTMLElement | undefined }>();
  #last: Line | undefined;
  #unreadMark: HTMLElement | undefined;
  #markNext = false;

  /** `onFollow`: the person has come back to the newest row. */
  constructor(view: ListView, onFollow: () => void) {
    this.#list = new RowList(view, { draw: (line) => this.#draw(line), onFollow, rowsMax, noun: 'lines' });
  }

  /** True while the newest row is in view. */
  get follows(): boolean {
    return this.#list.follows;
  }

  message(message: ChatMessage, own: boolean, at = new Date(), mark?: RowMark): void {
    if (mark) this.#marks.set(mark.id, { words: mark.words, element: undefined });
    this.#list.add({ kind: 'message', message, own, at, ...(mark && { mark }) });
  }

  /** Says how far a message of one's own has come. */
  setMark({ id, words }: RowMark): void {
    const mark = this.#marks.get(id);
    if (!mark) return;
    mark.words = words;
    if (mark.element) mark.element.textContent = words;
  }

  /** A line of the page itself, unlike any message. */
  note(text: string, kind: 'note' | 'warning' = 'note'): void {
    this.#list.add({ kind, text, at: new Date() });
  }

  /** Draws a line before the next message, where the person stopped reading. */
  markUnread(): void {
    if (this.#unreadMark) this.#list.remove(this.#unreadMark);
    this.#markNext = true;
  }

  scrollToEnd(): void {
    this.#list.scrollToEnd();
  }

  clear(): void {
    this.#marks.clear();
    this.#last = undefined;
    this.#markNext = false;
    this.#list.clear();
  }

  #draw(line: Line): HTMLElement[] {
    const rows: HTMLElement[] = [];
    if (this.#markNext && line.kind === 'message') {
      this.#unreadMark = make('li', 'mark', 'new');
      rows.push(this.#unreadMark);
      this.#markNext = false;
      this.#last = undefined;
    }
    const row =
      line.kind === 'message' ? messageRow(line, this.#last) : noteRow(line.kind, line.text, line.at);
    if (line.kind === 'message' && line.mark) row.append(this.#markOf(line.mark));
    this.#last = line;
    return [...rows, row];
  }

  /** A screen reader does not say each change; it reads the words with the message. */
  #markOf({ id }: RowMark): HTMLElement {
    const mark = this.#marks.get(id)!;
    mark.element = make('p', 'delivery', mark.words);
    mark.element.setAttribute('aria-live', 'off');
    return mark.element;
  }
}

function messageRow(
  { message, own, at }: Extract<Line, { kind: 'message' }>,
  last: Line | undefined,
): HTMLElement {
  const { clientId, Message } = message;
  const continues =
    last?.kind === 'message' &&
    last.message.clientId === clientId &&
    last.own === own &&
    at.getTime() - last.at.getTime() < groupMs;
  const classes = `message${own ? ' own' : ''}${continues ? ' continues' : ''}`;
  return make('li', classes, headOf(clientId, own, at), bodyOf(Message, clientId));
}

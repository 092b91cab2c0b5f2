/**
 * The conversation as rows. A busy room costs one change of the page per picture on the screen, whatever
 * comes meanwhile. Rows lie in chunks, and the browser lays out only the chunks that are in view.
 */
import type { ChatMessage } from '#protocol';
import { colourOf, neutralise } from '../core/visible-text.ts';
import { make, showText } from './elements.ts';
import { imageOf } from './image-picker.ts';

/** Where a list is on the page. */
export type ListView = {
  readonly scroll: HTMLElement;
  readonly log: HTMLElement;
  /** Stands in the place of rows while there are none. */
  readonly empty: HTMLElement;
  /** Says how many rows are gone. */
  readonly dropped: HTMLElement;
};

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
/** Chosen, not measured. */
const chunkRows = 100;
/** Closer to the end than this, in pixels, the view follows what comes. */
const followPixels = 40;
/** So many lines are made into rows at once, without waiting for the next picture. Chosen, not measured. */
const waitingMax = 1_000;
/** A hidden page draws no pictures: there, the rows are made this often, in ms. */
const hiddenIntervalMs = 500;
/** Colours of names in the style sheet. */
const nameColours = 8;
/** The name is said again after so long. */
const groupMs = 5 * 60_000;

export class MessageList {
  readonly #scroll: HTMLElement;
  readonly #log: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #dropped: HTMLElement;
  /** By the id of a message: its words, and where they stand once it is a row. */
  readonly #marks = new Map<string, { words: string; element: HTMLElement | undefined }>();
  #waiting: Line[] = [];
  #last: Line | undefined;
  #rows = 0;
  #droppedRows = 0;
  #follows = true;
  #unreadMark: HTMLElement | undefined;
  #markNext = false;

  /** `onFollow`: the person has come back to the newest row. */
  constructor({ scroll, log, empty, dropped }: ListView, onFollow: () => void) {
    this.#scroll = scroll;
    this.#log = log;
    this.#empty = empty;
    this.#dropped = dropped;
    // Not every browser lets the keyboard scroll what it cannot focus.
    this.#scroll.tabIndex = 0;
    this.#scroll.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
      const follows = scrollHeight - scrollTop - clientHeight < followPixels;
      const returns = follows && !this.#follows;
      this.#follows = follows;
      if (returns) onFollow();
    });
    new ResizeObserver(() => this.#follows && this.#toEnd()).observe(this.#scroll);
  }

  /** True while the newest row is in view. */
  get follows(): boolean {
    return this.#follows;
  }

  message(message: ChatMessage, own: boolean, at = new Date(), mark?: RowMark): void {
    if (mark) this.#marks.set(mark.id, { words: mark.words, element: undefined });
    this.#add({ kind: 'message', message, own, at, ...(mark && { mark }) });
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
    this.#add({ kind, text, at: new Date() });
  }

  /** Draws a line before the next message, where the person stopped reading. */
  markUnread(): void {
    if (this.#unreadMark?.isConnected) this.#rows -= 1;
    this.#unreadMark?.remove();
    this.#markNext = true;
  }

  scrollToEnd(): void {
    this.#follows = true;
    this.#toEnd();
  }

  clear(): void {
    this.#waiting = [];
    this.#marks.clear();
    this.#last = undefined;
    this.#rows = 0;
    this.#droppedRows = 0;
    this.#follows = true;
    this.#markNext = false;
    this.#log.replaceChildren();
    this.#empty.hidden = false;
    showText(this.#dropped, '');
  }

  #add(line: Line): void {
    // A page that is hidden draws no pictures, and its timers may be a minute late.
    if (this.#waiting.push(line) >= waitingMax) return this.#draw();
    if (this.#waiting.length > 1) return;
    requestAnimationFrame(() => this.#draw());
    setTimeout(() => this.#draw(), hiddenIntervalMs);
  }

  #draw(): void {
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    for (const line of lines) this.#append(line);
    while (this.#rows > rowsMax) this.#dropChunk();
    this.#empty.hidden = true;
    const dropped = `${this.#droppedRows.toLocaleString('en')} older lines are gone: this page keeps the newest.`;
    showText(this.#dropped, this.#droppedRows > 0 ? dropped : '');
    if (this.#follows) this.#toEnd();
  }

  #append(line: Line): void {
    if (this.#markNext && line.kind === 'message') {
      this.#unreadMark = make('li', 'mark', 'new');
      this.#put(this.#unreadMark);
      this.#markNext = false;
      this.#last = undefined;
    }
    const row = line.kind === 'message' ? messageRow(line, this.#last) : noteRow(line);
    if (line.kind === 'message' && line.mark) row.append(this.#markOf(line.mark));
    this.#put(row);
    this.#last = line;
  }

  /** A screen reader does not say each change; it reads the words with the message. */
  #markOf({ id }: RowMark): HTMLElement {
    const mark = this.#marks.get(id)!;
    mark.element = make('p', 'delivery', mark.words);
    mark.element.setAttribute('aria-live', 'off');
    return mark.element;
  }

  #put(row: HTMLElement): void {
    let chunk = this.#log.lastElementChild;
    if (!chunk || chunk.childElementCount >= chunkRows) {
      chunk?.classList.add('full');
      chunk = make('ol', 'chunk');
      this.#log.append(chunk);
    }
    chunk.append(row);
    this.#rows += 1;
  }

  #dropChunk(): void {
    const oldest = this.#log.firstElementChild;
    if (!oldest) return;
    this.#rows -= oldest.childElementCount;
    this.#droppedRows += oldest.childElementCount;
    oldest.remove();
  }

  #toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }
}

function messageRow(
  { message, own, at }: Extract<Line, { kind: 'message' }>,
  last: Line | undefined,
): HTMLElement {
  const continues =
    last?.kind === 'message' &&
    last.message.clientId === message.clientId &&
    last.own === own &&
    at.getTime() - last.at.getTime() < groupMs;
  const colour = `name c${colourOf(message.clientId, nameColours)}`;
  const head = make('div', 'head', make('bdi', colour, neutralise(message.clientId)));
  if (own) head.append(make('span', 'you', 'you'));
  head.append(timeOf(at));
  const from = neutralise(message.clientId);
  const body = make('p', 'body', imageOf(message.Message, from) ?? neutralise(message.Message));
  body.dir = 'auto';
  return make('li', `message${own ? ' own' : ''}${continues ? ' continues' : ''}`, head, body);
}

function noteRow({ kind, text, at }: Extract<Line, { kind: 'note' | 'warning' }>): HTMLElement {
  return make('li', kind, timeOf(at), make('span', '', neutralise(text)));
}

function timeOf(at: Date): HTMLTimeElement {
  const clock = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const isToday = at.toDateString() === new Date().toDateString();
  const day = isToday ? '' : `${at.toLocaleDateString([], { day: 'numeric', month: 'short' })}, `;
  const time = make('time', '', day + clock);
  time.dateTime = at.toISOString();
  return time;
}

/**
 * A long list as rows. Busy lists cost one change of the page per picture on the screen, whatever comes
 * meanwhile. Rows lie in chunks, and the browser lays out only the chunks that are in view.
 */
import { make, showText } from './elements.ts';

/** Where a list is on the page. */
export type ListView = {
  readonly scroll: HTMLElement;
  readonly log: HTMLElement;
  /** Stands in the place of rows while there are none. */
  readonly empty: HTMLElement;
  /** Says how many rows are gone. */
  readonly dropped: HTMLElement;
};

export type ListOptions<Line> = {
  /** The rows that show a line. */
  readonly draw: (line: Line) => readonly HTMLElement[];
  /** The person has come back to the newest row. */
  readonly onFollow: () => void;
  /** The most rows that the page keeps. */
  readonly rowsMax: number;
  /** What a row is called: `lines`. */
  readonly noun: string;
};

/** Chosen, not measured. */
export const chunkRows = 100;
/** Closer to the end than this, in pixels, the view follows what comes. */
const followPixels = 40;
/** So many lines are made into rows at once, without waiting for the next picture. Chosen, not measured. */
const waitingMax = 1_000;
/** A hidden page draws no pictures: there, the rows are made this often, in ms. */
const hiddenIntervalMs = 500;

export class RowList<Line> {
  readonly #view: ListView;
  readonly #options: ListOptions<Line>;
  #waiting: Line[] = [];
  #rows = 0;
  #droppedRows = 0;
  #follows = true;

  constructor(view: ListView, options: ListOptions<Line>) {
    this.#view = view;
    this.#options = options;
    const { scroll } = view;
    // Not every browser lets the keyboard scroll what it cannot focus.
    scroll.tabIndex = 0;
    scroll.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = scroll;
      const follows = scrollHeight - scrollTop - clientHeight < followPixels;
      const returns = follows && !this.#follows;
      this.#follows = follows;
      if (returns) options.onFollow();
    });
    new ResizeObserver(() => this.#follows && this.#toEnd()).observe(scroll);
  }

  /** True while the newest row is in view. */
  get follows(): boolean {
    return this.#follows;
  }

  add(line: Line): void {
    // A page that is hidden draws no pictures, and its timers may be a minute late.
    if (this.#waiting.push(line) >= waitingMax) return this.#draw();
    if (this.#waiting.length > 1) return;
    requestAnimationFrame(() => this.#draw());
    setTimeout(() => this.#draw(), hiddenIntervalMs);
  }

  /** Makes the rows of what waits now, so that they can be found. */
  flush(): void {
    this.#draw();
  }

  /** Takes a row away, if it is still there. */
  remove(row: HTMLElement): void {
    const chunk = row.parentElement;
    if (!chunk || !this.#view.log.contains(row)) return;
    row.remove();
    this.#rows -= 1;
    if (chunk.childElementCount === 0) chunk.remove();
    this.#view.empty.hidden = this.#rows > 0;
  }

  scrollToEnd(): void {
    this.#follows = true;
    this.#toEnd();
  }

  /** `droppedRows`: so many are gone already. */
  clear(droppedRows = 0): void {
    this.#waiting = [];
    this.#rows = 0;
    this.#droppedRows = droppedRows;
    this.#follows = true;
    this.#view.log.replaceChildren();
    this.#view.empty.hidden = false;
    this.#showDropped();
  }

  #draw(): void {
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    for (const line of lines) for (const row of this.#options.draw(line)) this.#put(row);
    while (this.#rows > this.#options.rowsMax) this.#dropChunk();
    this.#view.empty.hidden = true;
    this.#showDropped();
    if (this.#follows) this.#toEnd();
  }

  #put(row: HTMLElement): void {
    let chunk = this.#view.log.lastElementChild;
    if (!chunk || chunk.childElementCount >= chunkRows) {
      chunk?.classList.add('full');
      chunk = make('ol', 'chunk');
      this.#view.log.append(chunk);
    }
    chunk.append(row);
    this.#rows += 1;
  }

  #dropChunk(): void {
    const oldest = this.#view.log.firstElementChild;
    if (!oldest) return;
    this.#rows -= oldest.childElementCount;
    this.#droppedRows += oldest.childElementCount;
    oldest.remove();
  }

  #showDropped(): void {
    const count = this.#droppedRows.toLocaleString('en');
    const text = `${count} older ${this.#options.noun} are gone: this page keeps the newest.`;
    showText(this.#view.dropped, this.#droppedRows > 0 ? text : '');
  }

  #toEnd(): void {
    this.#view.scroll.scrollTop = this.#view.scroll.scrollHeight;
  }
}

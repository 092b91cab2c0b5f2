/** The posts that came, by menu, and what this tab keeps of them over a reload. */
import { isMenuName, type Post } from '#protocol';
import type { HeldSubscription } from '../core/post-subscriptions.ts';
import { chunkRows } from './row-list.ts';
import { remember, remembered } from './tab-memory.ts';

/** A post, or a line of the page itself. */
export type BookLine =
  | { readonly kind: 'post'; readonly post: Post }
  | { readonly kind: 'note' | 'warning'; readonly text: string; readonly atMs: number };

type Page = {
  /** By the id of the post; a note has a name. */
  readonly lines: Map<number | string, BookLine>;
  /** Own posts that were there before the subscription changed: it may bring them again. */
  readonly earlier: Set<number>;
  dropped: number;
  unread: number;
};

/** What this page keeps in memory of each menu. Chosen, not measured. */
export const linesMax = 2_000;
/** A tab keeps so many lines of each menu over a reload, and so many characters. Chosen, not measured. */
const keptMax = 200;
const keptCharsMax = 1_000_000;
const storageKey = 'posts';

type Stored = {
  readonly user: string;
  readonly menu: string | undefined;
  readonly subscriptions: readonly HeldSubscription[];
  readonly pages: readonly (readonly [
    menu: string,
    { readonly lines: readonly BookLine[]; readonly dropped: number; readonly unread: number },
  ])[];
};

export class PostBook {
  readonly #pages = new Map<string, Page>();
  #notes = 0;

  /** What is known of a menu, the oldest first. */
  lines(menu: string): Iterable<BookLine> {
    return this.#page(menu).lines.values();
  }

  /** Older lines of a menu that are gone. */
  dropped(menu: string): number {
    return this.#page(menu).dropped;
  }

  /** Posts that nobody has seen, of one menu or of all. */
  unread(menu?: string): number {
    if (menu !== undefined) return this.#pages.get(menu)?.unread ?? 0;
    return [...this.#pages.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  /** `again`: it takes the place of the row that is there. `known`: it is there already. */
  add(post: Post): 'new' | 'again' | 'known' {
    const page = this.#page(post.menu);
    const isAgain = page.earlier.delete(post.id);
    if (!isAgain && page.lines.has(post.id)) return 'known';
    page.lines.delete(post.id);
    this.#put(page, post.id, { kind: 'post', post });
    return isAgain ? 'again' : 'new';
  }

  note(menu: string, kind: 'note' | 'warning', text: string): BookLine {
    const line: BookLine = { kind, text, atMs: Date.now() };
    this.#notes += 1;
    this.#put(this.#page(menu), `note ${Date.now()} ${this.#notes}`, line);
    return line;
  }

  remove(menu: string, id: number): void {
    this.#page(menu).lines.delete(id);
  }

  /** A new subscription begins. Own posts stay: perhaps it does not bring them, and they can be deleted. */
  begin(menu: string, user: string | undefined): void {
    const page = this.#page(menu);
    const own = [...page.lines.values()].flatMap((line) =>
      line.kind === 'post' && line.post.from === user ? [line.post] : [],
    );
    this.#pages.delete(menu);
    for (const post of own) {
      this.add(post);
      this.#page(menu).earlier.add(post.id);
    }
  }

  cameUnseen(menu: string): void {
    this.#page(menu).unread += 1;
  }

  /** True where there was something to see. */
  see(menu: string): boolean {
    const page = this.#page(menu);
    const had = page.unread > 0;
    page.unread = 0;
    return had;
  }

  forget(): void {
    this.#pages.clear();
    remember(storageKey, '""');
  }

  /** Goes on with what the tab has kept of that user; undefined where it has kept nothing. */
  restore(user: string): Pick<Stored, 'menu' | 'subscriptions'> | undefined {
    const stored = read();
    if (stored?.user !== user) return undefined;
    for (const [menu, { lines, dropped, unread }] of stored.pages) {
      const page = this.#page(menu);
      for (const [index, line] of lines.entries())
        page.lines.set(line.kind === 'post' ? line.post.id : `kept ${index}`, line);
      page.dropped = dropped;
      page.unread = unread;
    }
    return stored;
  }

  keep(user: string, menu: string | undefined, subscriptions: readonly HeldSubscription[]): void {
    for (let countMax = keptMax; countMax >= 1; countMax = Math.floor(countMax / 2)) {
      const pages = [...this.#pages].map(([name, { lines, dropped, unread }]) => {
        const kept = [...lines.values()].slice(-countMax);
        return [name, { lines: kept, dropped: dropped + lines.size - kept.length, unread }] as const;
      });
      const text = JSON.stringify({ user, menu, subscriptions, pages } satisfies Stored);
      if (text.length <= keptCharsMax || countMax === 1) return remember(storageKey, text);
    }
  }

  #put(page: Page, key: number | string, line: BookLine): void {
    page.lines.set(key, line);
    if (page.lines.size <= linesMax) return;
    // As many as the list on the page drops together.
    for (const oldest of [...page.lines.keys()].slice(0, chunkRows)) page.lines.delete(oldest);
    page.dropped += chunkRows;
  }

  #page(menu: string): Page {
    let page = this.#pages.get(menu);
    if (!page) {
      page = { lines: new Map(), earlier: new Set(), dropped: 0, unread: 0 };
      this.#pages.set(menu, page);
    }
    return page;
  }
}

function read(): Stored | undefined {
  try {
    const stored = JSON.parse(remembered(storageKey)) as Stored | '';
    return stored !== '' && stored.pages.every(([menu]) => isMenuName(menu)) ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** Posts as rows: who, where, what they state, and a button for one's own. */
import type { Menu, Post } from '#protocol';
import { factsOf, placesOf } from '../core/post-words.ts';
import { neutralise } from '../core/visible-text.ts';
import { find, make } from './elements.ts';
import { type BookLine, linesMax } from './post-book.ts';
import { RowList } from './row-list.ts';
import { bodyOf, headOf, noteRow } from './row-parts.ts';

/** So much of a post names it on the button that deletes it. */
const titleChars = 40;

export type PostListEvents = {
  /** The person has come back to the newest row. */
  readonly onFollow: () => void;
  readonly onDelete: (id: number) => void;
};

const log = find('posts-log', HTMLElement);
const view = {
  scroll: find('posts-scroll', HTMLElement),
  log,
  empty: find('posts-empty', HTMLElement),
  dropped: find('posts-dropped', HTMLElement),
};

export class PostList {
  readonly #list: RowList<BookLine>;
  #menu: Menu | undefined;
  #user: string | undefined;

  constructor({ onFollow, onDelete }: PostListEvents) {
    const draw = (line: BookLine): HTMLElement[] => [this.#row(line)];
    this.#list = new RowList(view, { draw, onFollow, rowsMax: linesMax, noun: 'posts' });
    log.addEventListener('click', ({ target }) => {
      const button = target instanceof Element && target.closest('button');
      if (button) onDelete(Number(button.dataset.id));
    });
  }

  get follows(): boolean {
    return this.#list.follows;
  }

  /** Begins with the lines of a menu, of which so many older ones are gone. */
  begin(menu: Menu | undefined, user: string | undefined, lines: Iterable<BookLine>, dropped: number): void {
    this.#menu = menu;
    this.#user = user;
    this.#list.clear(dropped);
    for (const line of lines) this.#list.add(line);
    this.#list.scrollToEnd();
  }

  add(line: BookLine): void {
    this.#list.add(line);
  }

  /** Takes a post away. The focus goes to the list if it was in that row. */
  remove(id: number): void {
    this.#list.flush();
    const row = log.querySelector<HTMLElement>(`[data-post="${id}"]`);
    if (!row) return;
    if (row.contains(document.activeElement)) view.scroll.focus();
    this.#list.remove(row);
  }

  #row(line: BookLine): HTMLElement {
    if (line.kind !== 'post') return noteRow(line.kind, line.text, new Date(line.atMs));
    const { post } = line;
    const own = post.from === this.#user;
    const places = placesOf(post, this.#menu).map((place) => make('span', '', neutralise(place)));
    const facts = factsOf(post, this.#menu).map((fact) => make('li', '', neutralise(fact)));
    const head = headOf(post.from, own, new Date(post.date));
    const row = make('li', `post${own ? ' own' : ''}`, head, make('p', 'places', ...places));
    row.dataset.post = String(post.id);
    row.append(bodyOf(post.body, post.from));
    if (facts.length > 0) row.append(make('ul', 'facts', ...facts));
    if (own) row.append(deleteButton(post));
    return row;
  }
}

function deleteButton({ id, body }: Post): HTMLElement {
  const words = neutralise(body);
  const title = words.length > titleChars ? `${words.slice(0, titleChars)}…` : words;
  const button = make('button', 'delete', 'Delete', make('span', 'unseen', ` your post: ${title}`));
  button.type = 'button';
  button.dataset.id = String(id);
  return button;
}

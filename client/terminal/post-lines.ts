/** Posts on a terminal: those that came, and the menus that give their codes names. */
import type { Menu, Post } from '#protocol';
import type { MenuTitle } from '../core/menus.ts';
import type { PersonClient } from '../core/person-client.ts';
import { factsOf, placesOf } from '../core/post-words.ts';
import { dayTime } from './line-format.ts';

/** So many posts are kept for `/posts`. Chosen, not measured. */
const keptMax = 200;
/** So many of them are shown at once. Chosen, not measured. */
export const shownMax = 20;

export class PostLines {
  readonly #person: PersonClient;
  readonly #notice: (text: string) => void;
  #kept: Post[] = [];
  #cameCount = 0;

  constructor(person: PersonClient, notice: (text: string) => void) {
    this.#person = person;
    this.#notice = notice;
    person.events.on('post', (post) => {
      this.#kept = [...this.#kept, post].slice(-keptMax);
      this.#cameCount += 1;
      if (this.#cameCount === 1) setImmediate(() => this.#show());
    });
    person.account.events.on('signedOut', () => {
      this.#kept = [];
    });
  }

  /** The posts that came, the oldest first. */
  get kept(): readonly Post[] {
    return this.#kept;
  }

  /** A subscription begins with hundreds of posts: only the newest of a burst are shown. */
  #show(): void {
    const left = this.#cameCount - shownMax;
    if (left > 0) this.#notice(`${left} older posts came too; these are the newest`);
    for (const post of this.#kept.slice(-Math.min(this.#cameCount, shownMax)))
      this.#notice(this.lineOf(post));
    this.#cameCount = 0;
  }

  /** `post cars 17 · Portugal › Porto, Volvo · bob, 09:15: for sale (price 12000)` */
  lineOf(post: Post): string {
    const { menu, id, from, date, body } = post;
    const known = this.#person.menus.known(menu);
    const facts = factsOf(post, known);
    const when = dayTime(new Date(date), new Date());
    const tail = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
    return `post ${menu} ${id} · ${placesOf(post, known).join(', ')} · ${from}, ${when}: ${body}${tail}`;
  }

  /** The menus of this server. Throws where it has none, or does not answer. */
  async titles(): Promise<readonly MenuTitle[]> {
    const titles = await this.#person.menus.titles();
    if (titles.length === 0) throw new Error('this server has no menus of posts');
    return titles;
  }

  /** The menu of that name. Throws where there is none. */
  async menu(name: string): Promise<Menu> {
    const menu = await this.#person.menus.read(name);
    if (!menu) throw new Error(`this server has no menu ${name}`);
    return menu;
  }
}

/** Posts on a terminal: those that came, and the menus that give their codes names. */
import { type Menu, namesOfCode, type Post } from '#protocol';
import { type MenuTitle, readMenu, readMenuTitles } from '../core/menus.ts';
import type { PersonClient } from '../core/person-client.ts';
import { dayTime } from './line-format.ts';

/** So many posts are kept for `/posts`. Chosen, not measured. */
const keptMax = 200;
/** So many of them are shown at once. Chosen, not measured. */
export const shownMax = 20;

export class PostLines {
  readonly #person: PersonClient;
  readonly #menus = new Map<string, Menu>();
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
  lineOf({ menu, id, to, from, date, body, features = [], ranges = {} }: Post): string {
    const known = this.#menus.get(menu);
    const names = to.map((code, index) => {
      const tree = known?.trees[index];
      return (tree && namesOfCode(tree, code)?.join(' › ')) ?? code.join('.');
    });
    const facts = [
      ...features.map((index) => known?.features[index] ?? `feature ${index}`),
      ...Object.entries(ranges).map(([name, value]) => `${name} ${[value].flat().join('–')}`),
    ];
    const when = dayTime(new Date(date), new Date());
    const tail = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
    return `post ${menu} ${id} · ${names.join(', ')} · ${from}, ${when}: ${body}${tail}`;
  }

  /** The menus of this server. Throws where it has none, or does not answer. */
  async titles(): Promise<readonly MenuTitle[]> {
    const { address } = this.#person.chat;
    const titles = address && (await readMenuTitles(address));
    if (!titles || titles.length === 0) throw new Error('this server has no menus of posts');
    return titles;
  }

  /** The menu of that name. Throws where there is none. */
  async menu(name: string): Promise<Menu> {
    const { address } = this.#person.chat;
    const menu = this.#menus.get(name) ?? (address && (await readMenu(address, name)));
    if (!menu) throw new Error(`this server has no menu ${name}`);
    this.#menus.set(name, menu);
    return menu;
  }
}

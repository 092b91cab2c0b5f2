/** The frame of the posts: the menu that is open, its list or a form, and what is said of it. */
import type { Menu, Subscribe } from '#protocol';
import { channelWords } from '../core/menu-choices.ts';
import type { MenuTitle } from '../core/menus.ts';
import { neutralise } from '../core/visible-text.ts';
import { find, showText } from './elements.ts';

/** The list, or a form in its place. */
export type Panel = 'list' | 'channels' | 'post';

export type PanelEvents = {
  readonly onMenu: (name: string) => void;
  /** The person wants another panel. */
  readonly onPanel: (panel: Panel) => void;
};

const section = find('posts', HTMLElement);
const bar = find('posts-bar', HTMLElement);
const select = find('posts-menu', HTMLSelectElement);
const buttons = {
  channels: find('choose-channels', HTMLButtonElement),
  post: find('write-post', HTMLButtonElement),
};
const panels = {
  list: find('posts-scroll', HTMLElement),
  channels: find('channels-form', HTMLFormElement),
  post: find('post-form', HTMLFormElement),
};
const state = find('posts-state', HTMLElement);
const said = find('posts-said', HTMLElement);
const problem = find('posts-problem', HTMLElement);

export class PostsPanel {
  #panel: Panel = 'list';

  constructor({ onMenu, onPanel }: PanelEvents) {
    select.addEventListener('change', () => onMenu(select.value));
    for (const [name, button] of Object.entries(buttons))
      button.addEventListener('click', () => onPanel(this.#panel === name ? 'list' : (name as Panel)));
    for (const id of ['channels-cancel', 'post-cancel'])
      find(id, HTMLButtonElement).addEventListener('click', () => onPanel('list'));
    section.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape' && this.#panel !== 'list') onPanel('list');
    });
  }

  get panel(): Panel {
    return this.#panel;
  }

  /** Shows or hides the posts as a whole. */
  reveal(isShown: boolean): void {
    section.hidden = !isShown;
  }

  /** Shows one panel. `movesFocus`: from a form it comes back to the button that opened it. */
  show(panel: Panel, movesFocus: boolean): void {
    const before = this.#panel;
    this.#panel = panel;
    for (const [name, element] of Object.entries(panels)) element.hidden = name !== panel;
    for (const [name, button] of Object.entries(buttons))
      button.setAttribute('aria-expanded', String(name === panel));
    if (movesFocus && panel === 'list' && before !== 'list') buttons[before].focus();
  }

  focus(): void {
    select.focus();
  }

  /** Draws the menus, each with its number of unread posts. `isReady`: the one that is open was read. */
  drawMenus(
    titles: readonly MenuTitle[],
    unreadOf: (menu: string) => number,
    open: string | undefined,
    isReady: boolean,
  ): void {
    bar.hidden = titles.length === 0;
    for (const button of Object.values(buttons)) button.disabled = !isReady;
    const options = titles.map(({ name, title }) => {
      const count = unreadOf(name);
      return new Option(`${neutralise(title)}${count > 0 ? ` (${count} new)` : ''}`, name);
    });
    // Only what has changed: it may be open.
    const isSame =
      options.length === select.options.length &&
      options.every(({ value }, index) => select.options[index]!.value === value);
    if (!isSame) select.replaceChildren(...options);
    for (const [index, { text }] of options.entries()) {
      const option = select.options[index]!;
      if (option.text !== text) option.text = text;
    }
    if (select.value !== open) select.value = open ?? '';
  }

  /** Says what the person is subscribed to. `isBusy`: the server has not taken it again yet. */
  drawState(menu: Menu | undefined, held: Subscribe | undefined, isBusy: boolean): void {
    if (!menu) return showText(state, '');
    if (!held) return showText(state, 'You get no posts: choose channels.');
    const only = held.filters.length > 0 ? ' that fit your filter' : '';
    const busy = isBusy ? '; the server is busy, and is asked again soon' : '';
    showText(state, `You get the posts of ${channelWords(held.channels)}${only}${busy}.`);
  }

  /** What has become of what the person did: one of the two, or neither. */
  say(done: string, wrong = ''): void {
    said.textContent = done;
    showText(problem, wrong);
  }
}

/** The form in which a person chooses channels of a menu, and which of their posts. */
import type { Menu, PostFilter, Subscribe } from '#protocol';
import { channelCount, channelWords } from '../core/menu-choices.ts';
import { neutralise } from '../core/visible-text.ts';
import { find, make, showText } from './elements.ts';
import { FactFields } from './fact-fields.ts';
import { TreeChoice } from './tree-choice.ts';

/** A frame with more would be larger than a server takes, and cost the connection. Chosen, not measured. */
const charsMax = 16_000;

const form = find('channels-form', HTMLFormElement);
const title = find('channels-title', HTMLElement);
const fields = find('channels-fields', HTMLElement);
const count = find('channels-count', HTMLElement);
const problem = find('channels-problem', HTMLElement);
const submit = find('subscribe', HTMLButtonElement);
const end = find('unsubscribe', HTMLButtonElement);

export class ChannelsForm {
  #menu: Menu | undefined;
  #trees: readonly TreeChoice[] = [];
  #facts: FactFields | undefined;

  /** `ask` gets what the person wants; no channels: nothing any more. */
  constructor(ask: (subscribe: Subscribe) => void) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const subscribe = this.#read();
      if (subscribe) ask(subscribe);
    });
    end.addEventListener('click', () => {
      if (this.#menu) ask({ menu: this.#menu.name, channels: this.#menu.trees.map(() => []), filters: [] });
    });
  }

  /** Shows the form, filled in with the subscription of now. */
  open(menu: Menu, now: Subscribe | undefined): void {
    this.#menu = menu;
    const onChange = (): void => this.#count();
    this.#trees = menu.trees.map((tree, index) => new TreeChoice(tree, now?.channels[index] ?? [], onChange));
    this.#facts = new FactFields(menu, 'filter', now?.filters[0]);
    const only = make(
      'details',
      '',
      make('summary', '', 'Only some of their posts (optional)'),
      this.#facts.element,
    );
    only.open = (now?.filters.length ?? 0) > 0;
    title.textContent = `Channels of ${neutralise(menu.title)}`;
    fields.replaceChildren(make('div', 'trees', ...this.#trees.map(({ element }) => element)), only);
    end.hidden = now === undefined;
    this.fail('');
    this.#count();
    this.#trees[0]?.focus();
  }

  /** Says why there is no subscription. */
  fail(text: string): void {
    showText(problem, text);
  }

  /** Nothing can be asked while the server has not answered. */
  wait(waits: boolean): void {
    for (const button of [submit, end]) button.disabled = waits;
  }

  #read(): Subscribe | undefined {
    const menu = this.#menu!;
    const channels = this.#trees.map(({ codes }) => codes);
    const empty = channels.findIndex((codes) => codes.length === 0);
    if (empty !== -1) {
      this.fail(`Choose at least one ${neutralise(menu.trees[empty]!.name)}.`);
      this.#trees[empty]!.focus();
      return undefined;
    }
    const { features, ranges, tag } = this.#facts!.read();
    const wrong = [...ranges].find(([, [from, to]]) => from !== null && to !== null && from > to);
    if (wrong) return void this.fail(`${neutralise(wrong[0])}: give the smaller number first.`);
    const filter: PostFilter = {
      ...(tag !== '' && { filter: tag }),
      ...(features.length > 0 && { anyOf: features }),
      ...(ranges.size > 0 && { ranges: Object.fromEntries(ranges) }),
    };
    const filters = Object.keys(filter).length > 0 ? [filter] : [];
    const subscribe = { menu: menu.name, channels, filters };
    if (JSON.stringify(subscribe).length > charsMax)
      return void this.fail('Too many are chosen one by one: choose what they are part of.');
    return subscribe;
  }

  #count(): void {
    const channels = this.#trees.map(({ codes }) => codes);
    count.textContent = channelCount(channels) === 0 ? '' : `That is ${channelWords(channels)}.`;
  }
}

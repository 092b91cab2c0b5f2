/** The nodes of a tree as nested checkboxes. A node that is checked stands for all that is below it. */
import { type Code, childrenAt, type MenuNode, type MenuTree } from '#protocol';
import { channelsUnder } from '../core/menu-choices.ts';
import { neutralise } from '../core/visible-text.ts';
import { make } from './elements.ts';

/** The path as a key: `0.2`; empty for the root. */
const keyOf = (code: Code): string => code.join('.');
const isBelow = (key: string, above: string): boolean =>
  above === '' ? key !== '' : key.startsWith(`${above}.`);

export class TreeChoice {
  readonly element: HTMLFieldSetElement;
  readonly #tree: MenuTree;
  readonly #onChange: () => void;
  readonly #deepest: number;
  readonly #checked: Map<string, Code>;
  /** The checkboxes that are on the page: those of a closed node are made when it is opened. */
  readonly #inputs = new Map<string, HTMLInputElement>();

  /** `chosen`: the channels that are chosen now. */
  constructor(tree: MenuTree, chosen: readonly Code[], onChange: () => void) {
    this.#tree = tree;
    this.#onChange = onChange;
    this.#deepest = tree.depths.at(-1) ?? 0;
    this.#checked = new Map(chosen.map((code) => [keyOf(code), code]));
    this.element = make('fieldset', 'tree', make('legend', '', neutralise(tree.name)));
    this.element.append(this.#label([], `every ${tree.name}`));
    if (this.#deepest > 0) this.element.append(this.#list([], tree.children));
    this.#draw();
  }

  /** The channels that are chosen: the codes of one list of a subscription. */
  get codes(): Code[] {
    const codes = [...this.#checked.values()].flatMap((code) => channelsUnder(this.#tree, code));
    return [...new Map(codes.map((code) => [keyOf(code), code])).values()];
  }

  focus(): void {
    this.#inputs.get('')!.focus();
  }

  #list(code: Code, nodes: readonly MenuNode[]): HTMLElement {
    const list = make('ul', '');
    // A list without a sign in front of its rows is none for some screen readers, unless they are told.
    list.setAttribute('role', 'list');
    for (const [index, { name, children = [] }] of nodes.entries())
      list.append(this.#node([...code, index], name, children));
    return list;
  }

  #node(code: Code, name: string, children: readonly MenuNode[]): HTMLElement {
    const row = make('div', 'node', this.#label(code, name));
    const item = make('li', '', row);
    if (children.length === 0 || code.length >= this.#deepest) return item;
    const shown = neutralise(name);
    const button = make('button', 'unfold', '', make('span', 'unseen', `Inside ${shown}`));
    button.type = 'button';
    let list: HTMLElement | undefined;
    const unfold = (isOpen: boolean): void => {
      button.setAttribute('aria-expanded', String(isOpen));
      if (isOpen && !list) {
        list = this.#list(code, childrenAt(this.#tree, code) ?? []);
        item.append(list);
        this.#draw();
      }
      if (list) list.hidden = !isOpen;
    };
    button.addEventListener('click', () => unfold(button.getAttribute('aria-expanded') !== 'true'));
    row.append(button);
    unfold([...this.#checked.keys()].some((key) => isBelow(key, keyOf(code))));
    return item;
  }

  #label(code: Code, name: string): HTMLElement {
    const key = keyOf(code);
    const input = make('input', '');
    input.type = 'checkbox';
    input.addEventListener('change', () => {
      if (input.checked) this.#check(key, code);
      else this.#checked.delete(key);
      this.#draw();
      this.#onChange();
    });
    this.#inputs.set(key, input);
    return make('label', 'choice', input, make('bdi', '', neutralise(name)));
  }

  /** What is below is part of it. */
  #check(key: string, code: Code): void {
    for (const other of this.#checked.keys()) if (isBelow(other, key)) this.#checked.delete(other);
    this.#checked.set(key, code);
  }

  #draw(): void {
    const checked = [...this.#checked.keys()];
    for (const [key, input] of this.#inputs) {
      const isPart = checked.some((other) => isBelow(key, other));
      input.checked = isPart || this.#checked.has(key);
      input.disabled = isPart;
      input.indeterminate = !input.checked && checked.some((other) => isBelow(other, key));
    }
  }
}

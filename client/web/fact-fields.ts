/** Fields for what a menu lets posts state: features, quantities and a tag. All of them are optional. */
import type { Menu, PostFilter } from '#protocol';
import { neutralise } from '../core/visible-text.ts';
import { make } from './elements.ts';

/** What was filled in; `ranges` by the name of the quantity, null where an end is open. */
export type Facts = {
  readonly features: readonly number[];
  readonly ranges: ReadonlyMap<string, readonly [number | null, number | null]>;
  readonly tag: string;
};

type Quantity = { readonly name: string; readonly inputs: readonly HTMLInputElement[] };

const tagCharsMax = 64;

export class FactFields {
  readonly element: HTMLElement;
  readonly #features: readonly HTMLInputElement[];
  readonly #quantities: readonly Quantity[];
  readonly #tag: HTMLInputElement;

  /** `kind`: a post states a value, a filter the two ends of a range. `filter`: what is filled in already. */
  constructor(
    menu: Menu,
    kind: 'post' | 'filter',
    { anyOf = [], ranges = {}, filter = '' }: PostFilter = {},
  ) {
    this.#features = menu.features.map((_name, index) => {
      const input = make('input', '');
      input.type = 'checkbox';
      input.checked = anyOf.includes(index);
      return input;
    });
    this.#quantities = menu.quantities.map(({ name }) => {
      const ends = kind === 'post' ? ['value'] : ['from', 'to'];
      const inputs = ends.map((_end, index) => {
        const input = make('input', '');
        input.type = 'number';
        input.step = 'any';
        input.value = String(ranges[name]?.[index] ?? '');
        return input;
      });
      return { name, inputs };
    });
    this.#tag = make('input', '');
    this.#tag.maxLength = tagCharsMax;
    this.#tag.value = filter;
    this.element = make('div', 'facts-fields', ...this.#parts(menu, kind));
  }

  read(): Facts {
    const ranges = this.#quantities.flatMap(({ name, inputs }) => {
      const [from = null, to = from] = inputs.map(({ value }) => (value === '' ? null : Number(value)));
      return from === null && to === null ? [] : [[name, [from, to]] as const];
    });
    return {
      features: this.#features.flatMap(({ checked }, index) => (checked ? [index] : [])),
      ranges: new Map(ranges),
      tag: this.#tag.value.trim(),
    };
  }

  #parts(menu: Menu, kind: 'post' | 'filter'): HTMLElement[] {
    const parts: HTMLElement[] = [];
    if (this.#features.length > 0) {
      const labels = this.#features.map((input, index) =>
        make('label', 'choice', input, make('bdi', '', neutralise(menu.features[index]!))),
      );
      const legend = kind === 'post' ? 'Features' : 'With at least one of';
      parts.push(make('fieldset', 'features', make('legend', '', legend), ...labels));
    }
    const rows = this.#quantities.map(({ name, inputs }, index) => {
      const unit = menu.quantities[index]!.unit;
      const title = neutralise(unit === name ? name : `${name} (${unit})`);
      const ends = kind === 'post' ? [''] : [' from', ' to'];
      return inputs.map((input, end) => make('label', 'field', title + ends[end], input));
    });
    if (kind === 'filter') parts.push(...rows.map((fields) => make('div', 'row', ...fields)));
    else if (rows.length > 0) parts.push(make('div', 'row', ...rows.flat()));
    parts.push(make('label', 'field', kind === 'post' ? 'Tag' : 'With the tag', this.#tag));
    return parts;
  }
}

/** Elements, made without HTML: names and reasons come from result files, and are text whatever they hold. */

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** An element with attributes and children; `false` leaves an attribute out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== false) made.setAttribute(name, value === true ? '' : String(value));
  made.append(...children);
  return made;
}

/** A square in a colour of the page. A style attribute would be refused by the page's policy; this is not. */
export function swatch(colour: string): HTMLElement {
  const made = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  made.style.background = colour;
  return made;
}

/** A button of a legend, pressed while its lines are shown. `onToggle` gets the new state. */
export function legendButton(
  name: string,
  colour: string,
  isShown: boolean,
  onToggle: (isShown: boolean) => void,
): { item: HTMLLIElement; value: HTMLElement } {
  const value = element('span', { class: 'value' });
  const button = element('button', { type: 'button', 'aria-pressed': String(isShown) });
  button.append(swatch(colour), element('span', {}, name), value);
  button.addEventListener('click', () => {
    const shown = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(shown));
    onToggle(shown);
  });
  return { item: element('li', {}, button), value };
}

/** The colour that a CSS value such as `var(--ink)` has on this page now. Canvases take no variables. */
export function resolvedColour(value: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
  return name === undefined ? value : getComputedStyle(document.body).getPropertyValue(name).trim();
}

/** Elements of the page. Text enters it only as text: nothing here makes markup from a string. */

/** The element of that id; throws where the HTML has none of that kind. */
export function find<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return element;
}

/** A new element with these classes, holding these texts and elements. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  classes: string,
  ...content: (string | Node)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (classes !== '') element.className = classes;
  element.append(...content);
  return element;
}

/** Shows a text in an element, and hides the element where there is none. */
export function showText(element: HTMLElement, text: string): void {
  element.textContent = text;
  element.hidden = text === '';
}

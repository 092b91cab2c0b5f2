/** The form in which a person writes a post: its place in each tree, its text, and what it states. */
import { defaultMessageLimits, type Menu, type PostContent, utf8Bytes } from '#protocol';
import { choiceName, leafChoices } from '../core/menu-choices.ts';
import { newId } from '../core/new-id.ts';
import { neutralise } from '../core/visible-text.ts';
import { find, make, showText } from './elements.ts';
import { FactFields } from './fact-fields.ts';

const form = find('post-form', HTMLFormElement);
const title = find('post-title', HTMLElement);
const places = find('post-places', HTMLElement);
const text = find('post-text', HTMLTextAreaElement);
const optional = find('post-facts', HTMLElement);
const problem = find('post-problem', HTMLElement);
const submit = find('publish', HTMLButtonElement);

export class PostForm {
  #menu: Menu | undefined;
  #selects: readonly HTMLSelectElement[] = [];
  #facts: FactFields | undefined;
  /** What was sent last, and the id of its frame: sent again with that id, it is published once. */
  #sent: { readonly content: string; readonly id: string } | undefined;

  /** `publish` gets a post, and the id of its frame. */
  constructor(publish: (menu: Menu, content: PostContent, id: string) => void) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const content = this.#read();
      if (!content) return;
      const key = JSON.stringify([this.#menu!.name, content]);
      if (this.#sent?.content !== key) this.#sent = { content: key, id: newId() };
      publish(this.#menu!, content, this.#sent.id);
    });
  }

  /** Shows the form; what was written for the same menu is still there. */
  open(menu: Menu): void {
    if (this.#menu !== menu) this.#fill(menu);
    this.fail('');
    this.#selects[0]?.focus();
  }

  /** Says why the post was not published. */
  fail(words: string): void {
    showText(problem, words);
  }

  /** Nothing can be sent while the server has not answered. */
  wait(waits: boolean): void {
    submit.disabled = waits;
  }

  /** The post is published: the next one begins empty. */
  reset(): void {
    this.#menu = undefined;
    this.#sent = undefined;
    text.value = '';
  }

  #fill(menu: Menu): void {
    if (this.#menu) text.value = '';
    this.#menu = menu;
    title.textContent = `A post in ${neutralise(menu.title)}`;
    this.#selects = menu.trees.map((tree) => {
      const select = make('select', '', new Option(`Choose a ${neutralise(tree.name)}`, ''));
      select.required = true;
      for (const choice of leafChoices(tree))
        select.append(new Option(neutralise(choiceName(choice, tree)), choice.code.join('.')));
      return select;
    });
    const fields = menu.trees.map(({ name }, index) => {
      const select = this.#selects[index]!;
      const label = make('label', '', neutralise(name));
      select.id = `post-place-${index}`;
      label.htmlFor = select.id;
      return make('div', 'field', label, select);
    });
    places.replaceChildren(...fields);
    this.#facts = new FactFields(menu, 'post');
    optional.replaceChildren(this.#facts.element);
  }

  #read(): PostContent | undefined {
    const body = text.value.trim();
    const bytes = utf8Bytes(body);
    const { messageBytesMax } = defaultMessageLimits;
    if (body === '') return this.#refuse('Write what the post says.');
    if (bytes > messageBytesMax)
      return this.#refuse(`Not published: it has ${bytes} bytes, the limit is ${messageBytesMax}.`);
    const { features, ranges, tag } = this.#facts!.read();
    const values = [...ranges].map(([name, [value]]) => [name, value!] as const);
    return {
      to: this.#selects.map(({ value }) => value.split('.').map(Number)),
      body,
      ...(tag !== '' && { filter: tag }),
      ...(features.length > 0 && { features }),
      ...(values.length > 0 && { ranges: Object.fromEntries(values) }),
    };
  }

  #refuse(words: string): undefined {
    this.fail(words);
    text.focus();
  }
}

/** The menus of the posts, over HTTP. A server without them has no accounts either. */
import { isMenuName, type Menu, type MenuNode, type MenuTree } from '#protocol';
import { type ChatAddress, serviceUrl } from './route.ts';

/** The longest wait for an answer. Chosen, not measured. */
const answerMsMax = 10_000;

export type MenuTitle = Pick<Menu, 'name' | 'title'>;

/** The menus of one server; each is read once. */
export class Menus {
  readonly #address: () => ChatAddress | undefined;
  readonly #menus = new Map<string, Menu>();

  /** `address`: where the chat is, undefined before the first connection. */
  constructor(address: () => ChatAddress | undefined) {
    this.#address = address;
  }

  /** The menus that this server has; empty where it has none. Rejects where it does not answer. */
  async titles(): Promise<readonly MenuTitle[]> {
    const address = this.#address();
    return (address && (await readMenuTitles(address))) ?? [];
  }

  /** One menu; undefined where there is none of that name. Rejects where the server does not answer. */
  async read(name: string): Promise<Menu | undefined> {
    const address = this.#address();
    const menu = this.#menus.get(name) ?? (address && (await readMenu(address, name)));
    if (menu) this.#menus.set(name, menu);
    return menu;
  }

  /** The menu, where it was read before. */
  known(name: string): Menu | undefined {
    return this.#menus.get(name);
  }
}

/** The menus that this server has; undefined where it has none. Rejects where it does not answer. */
async function readMenuTitles(chat: ChatAddress): Promise<readonly MenuTitle[] | undefined> {
  const answer = await read(chat, 'menus');
  const { menus } = Object(answer) as { menus?: unknown };
  if (!Array.isArray(menus)) return undefined;
  return menus.filter(isTitle).map(({ name, title }) => ({ name, title }));
}

/** One menu; undefined where there is none of that name. Rejects where the server does not answer. */
async function readMenu(chat: ChatAddress, name: string): Promise<Menu | undefined> {
  const answer = await read(chat, `menus/${encodeURIComponent(name)}`);
  return isMenu(answer) ? answer : undefined;
}

/** The JSON at that address; undefined where there is none. */
async function read({ chatUrl, headers }: ChatAddress, path: string): Promise<unknown> {
  const signal = AbortSignal.timeout(answerMsMax);
  // A browser asks again: a server that was restarted may have other menus.
  const options: RequestInit = { headers, signal, credentials: 'omit', cache: 'no-cache' };
  const response = await fetch(serviceUrl(chatUrl, path), options);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the server answered HTTP ${response.status}`);
  return response.json();
}

function isTitle(value: unknown): value is MenuTitle {
  const { name, title } = Object(value) as Partial<MenuTitle>;
  return isMenuName(name) && typeof title === 'string';
}

function isMenu(value: unknown): value is Menu {
  const { trees, features, quantities } = Object(value) as Partial<Menu>;
  if (!isTitle(value) || !Array.isArray(trees) || !trees.every(isTree)) return false;
  if (!Array.isArray(features) || !features.every((feature) => typeof feature === 'string')) return false;
  return Array.isArray(quantities) && quantities.every((each) => typeof Object(each).name === 'string');
}

function isTree(value: unknown): value is MenuTree {
  const { name, depths, children } = Object(value) as Partial<MenuTree>;
  const isDepths = Array.isArray(depths) && depths.every((depth) => Number.isSafeInteger(depth));
  return typeof name === 'string' && isDepths && Array.isArray(children) && children.every(isNode);
}

function isNode(value: unknown): value is MenuNode {
  const { name, children } = Object(value) as Partial<MenuNode>;
  return typeof name === 'string' && (children === undefined || children.every(isNode));
}

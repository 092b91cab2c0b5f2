/** Menus from JSON files: reads a directory, and says every mistake in it at once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  isMenuName,
  type Menu,
  postDepthMax,
  postFeaturesMax,
  postQuantitiesMax,
  postTreesMax,
} from '#protocol';
import { SettingsError } from '../settings.ts';
import { channelsPerPost } from './channels.ts';

/** The directory of the menus that come with the server. */
export const shippedMenus = fileURLToPath(new URL('./menus', import.meta.url));

// Chosen: so much fits one answer, and one post.
const menusMax = 64;
const nodesMax = 10_000;
export const channelsPerPostMax = 32;
const namePattern = /^[a-z][a-z0-9_-]{0,31}$/;

/**
 * Reads the menus of a directory: each of its files `<name>.json` is one. Throws a `SettingsError` that says
 * each mistake: the file, what is required, and what was given.
 */
export function readMenus(directory: string): ReadonlyMap<string, Menu> {
  const files = namesOfFiles(directory);
  const problems: string[] = [];
  const menus = new Map<string, Menu>();
  for (const file of files) {
    const path = join(directory, file);
    const menu = readMenu(path, file.slice(0, -'.json'.length), problems);
    if (menu) menus.set(menu.name, menu);
  }
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return menus;
}

function namesOfFiles(directory: string): string[] {
  const required = 'Set --menus (or CHAT_MENUS) to a directory with a file <name>.json for each menu';
  let files: string[];
  try {
    files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code;
    throw new SettingsError(`${required}; given was "${directory}" (${why}).`);
  }
  if (files.length === 0 || files.length > menusMax)
    throw new SettingsError(`${required}, 1 to ${menusMax} of them; "${directory}" has ${files.length}.`);
  return files.sort();
}

function readMenu(path: string, name: string, problems: string[]): Menu | undefined {
  const before = problems.length;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    problems.push(`Put JSON into ${path}: ${(error as Error).message}.`);
    return undefined;
  }
  const menu = checkMenu(value, name, (field, required, given) => {
    const shown = given === undefined ? 'nothing' : JSON.stringify(given).slice(0, 100);
    problems.push(`Set ${field} in ${path} to ${required}; given was ${shown}.`);
  });
  return problems.length === before ? menu : undefined;
}

type Tell = (field: string, required: string, given: unknown) => void;
type Fields = Readonly<Record<string, unknown>>;

/** The menu of a file; what is wrong in it is told. */
function checkMenu(value: unknown, fileName: string, tell: Tell): Menu {
  const { name = fileName, title, trees, features = [], quantities = [] } = Object(value) as Fields;
  if (!isMenuName(name) || name !== fileName) tell('name', 'the name of the file, 1 to 32 of a-z0-9_-', name);
  if (!isTitle(title)) tell('title', titleRule, title);
  if (!isListOf(trees, 1, postTreesMax)) tell('trees', `a list of 1 to ${postTreesMax} trees`, trees);
  else for (const [index, tree] of trees.entries()) checkTree(tree, `trees[${index}]`, tell);
  if (!isListOf(features, 0, postFeaturesMax) || !features.every(isTitle) || hasTwice(features))
    tell('features', `a list of at most ${postFeaturesMax} different texts`, features);
  const isQuantity = (given: unknown) => {
    const { name, unit } = Object(given) as Fields;
    return isName(name) && isTitle(unit);
  };
  const rule = `a list of at most ${postQuantitiesMax} objects with a name (${nameRule}) and a unit`;
  if (!isListOf(quantities, 0, postQuantitiesMax) || !quantities.every(isQuantity))
    tell('quantities', rule, quantities);
  else if (hasTwice(quantities.map(({ name }) => name)))
    tell('quantities', 'objects with different names', quantities);
  const menu = { name, title, trees, features, quantities } as Menu;
  if (Array.isArray(trees) && trees.every((tree) => Array.isArray(Object(tree).depths))) {
    const channels = channelsPerPost(menu);
    if (channels > channelsPerPostMax)
      tell(
        'the depths of all trees',
        `such that a post has at most ${channelsPerPostMax} channels`,
        channels,
      );
  }
  return menu;
}

function checkTree(value: unknown, at: string, tell: Tell): void {
  const { name, depths, children } = Object(value) as Fields;
  if (!isName(name)) tell(`${at}.name`, nameRule, name);
  const depthRule = `a list of rising whole numbers from 0 to ${postDepthMax}`;
  const isDepth = (depth: unknown, index: number, all: unknown[]) =>
    Number.isInteger(depth) &&
    (depth as number) >= 0 &&
    (depth as number) <= postDepthMax &&
    (index === 0 || (all[index - 1] as number) < (depth as number));
  const areDepths = isListOf(depths, 1, postDepthMax + 1) && depths.every(isDepth);
  if (!areDepths) tell(`${at}.depths`, depthRule, depths);
  if (!isListOf(children, 1, nodesMax)) return tell(`${at}.children`, 'a list of nodes', children);
  const counted = { nodes: 0 };
  const deepest = areDepths ? Number(depths.at(-1)) : 0;
  for (const [index, child] of children.entries())
    checkNode(child, `${at}.children[${index}]`, { depth: 1, deepest, counted }, tell);
  if (counted.nodes > nodesMax) tell(at, `a tree of at most ${nodesMax} nodes`, counted.nodes);
}

type Place = { depth: number; deepest: number; counted: { nodes: number } };

function checkNode(value: unknown, at: string, place: Place, tell: Tell): void {
  const { depth, deepest, counted } = place;
  const { name, children = [] } = Object(value) as Fields;
  if (++counted.nodes > nodesMax) return;
  if (!isTitle(name)) tell(`${at}.name`, titleRule, name);
  if (!isListOf(children, 0, nodesMax)) return tell(`${at}.children`, 'a list of nodes', children);
  if (depth > postDepthMax) return tell(at, `a node at most ${postDepthMax} below the root`, name);
  if (children.length === 0 && depth < deepest)
    tell(at, `a node with children, because the tree states the depth ${deepest}`, name);
  for (const [index, child] of children.entries())
    checkNode(child, `${at}.children[${index}]`, { ...place, depth: depth + 1 }, tell);
}

const nameRule = '1 to 32 of a-z0-9_-, a letter first';
const titleRule = 'a text of 1 to 100 characters';
const isName = (value: unknown): value is string => typeof value === 'string' && namePattern.test(value);
const isTitle = (value: unknown) => typeof value === 'string' && value.length >= 1 && value.length <= 100;
const hasTwice = (all: readonly unknown[]) => new Set(all).size < all.length;
const isListOf = (value: unknown, min: number, max: number): value is Fields[] =>
  Array.isArray(value) && value.length >= min && value.length <= max;

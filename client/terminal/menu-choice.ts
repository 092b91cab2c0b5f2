/** Choosing in the trees of a menu by numbers and names. Pure. */
import type { MenuTree } from '#protocol';
import { type Choice, choiceName } from '../core/menu-choices.ts';
import { noBreak } from './line-format.ts';

/** The choices, each with its number beside it, a row for each child of the root: `1 Portugal · 2 Lisbon`. */
export function choiceRows(choices: readonly Choice[], tree: MenuTree): string[] {
  const rows = new Map<string, string>();
  for (const [index, choice] of choices.entries()) {
    const [head = '', ...rest] = choice.names;
    const row = rows.get(head);
    const text = rest.length === 0 ? choiceName(choice, tree) : rest.join(' › ');
    const name = `${index + 1}${noBreak}${text}`;
    if (row !== undefined) rows.set(head, `${row} · ${name}`);
    else rows.set(head, rest.length === 0 ? name : `${head}: ${name}`);
  }
  return [...rows.values()];
}

/**
 * What a person has chosen: numbers from 1, or names, or their beginnings, separated by commas. A text
 * that fits several choices, or none, is returned as `unclear`, with those that it fits.
 */
export function readChoices(
  answer: string,
  labels: readonly string[],
):
  | { readonly chosen: readonly number[] }
  | { readonly unclear: string; readonly fitting: readonly number[] } {
  const chosen = new Set<number>();
  for (const word of answer.split(',').map((part) => part.trim())) {
    if (word === '') continue;
    const fitting = /^\d+$/.test(word) ? numbered(Number(word), labels) : named(word.toLowerCase(), labels);
    if (fitting.length !== 1) return { unclear: word, fitting };
    chosen.add(fitting[0]!);
  }
  return { chosen: [...chosen] };
}

function numbered(number: number, labels: readonly string[]): number[] {
  return number >= 1 && number <= labels.length ? [number - 1] : [];
}

/** The whole label, else its last name, else the beginning of a name in it. */
function named(word: string, labels: readonly string[]): number[] {
  const names = labels.map((label) => label.toLowerCase().split(' › '));
  const tests: ((parts: string[]) => boolean)[] = [
    (parts) => parts.join(' › ') === word,
    (parts) => parts.at(-1) === word,
    (parts) => parts.at(-1)!.startsWith(word),
  ];
  for (const test of tests) {
    const fitting = names.flatMap((parts, index) => (test(parts) ? [index] : []));
    if (fitting.length > 0) return fitting;
  }
  return [];
}

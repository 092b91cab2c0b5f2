/** Posts in words: where they are, what they state, and why the server did not do what was asked. Pure. */
import { type Menu, namesOfCode, type PostContent } from '#protocol';

/** For each tree the names on the way: `Portugal › Porto`. Where the menu is not known, the codes. */
export function placesOf({ to }: Pick<PostContent, 'to'>, menu: Menu | undefined): string[] {
  return to.map((code, index) => {
    const tree = menu?.trees[index];
    return (tree && namesOfCode(tree, code)?.join(' › ')) || code.join('.');
  });
}

/** What a post states beside its text: `red`, `price 900`, `mileage 10–20`, `tag new`. */
export function factsOf(
  { features = [], ranges = {}, filter }: Pick<PostContent, 'features' | 'ranges' | 'filter'>,
  menu: Menu | undefined,
): string[] {
  return [
    ...features.map((index) => menu?.features[index] ?? `feature ${index}`),
    ...Object.entries(ranges).map(([name, value]) => `${name} ${[value].flat().join('–')}`),
    ...(filter === undefined ? [] : [`tag ${filter}`]),
  ];
}

/** An answer to a frame about posts that is not `ok`. */
type Refused = { readonly result: string; readonly detail?: string; readonly retryAfterMs?: number };

const words: Readonly<Record<string, string>> = {
  lost: 'the login ended before the server answered',
  menu: 'the server has no such menu',
  unknown: 'there is no such post',
  foreign: 'it is not yours',
};

/** Why something was not done, in one clause. */
export function refusalWords({ result, detail, retryAfterMs }: Refused): string {
  // Where a frame has one post, its index says nothing.
  const why = words[result] ?? detail?.replace(/^items\[0\]: /, '') ?? `the server says ${result}`;
  if (retryAfterMs !== undefined) return `${why}; there is a place again in ${waitWords(retryAfterMs)}`;
  return result === 'busy' ? `${why}: try again in a moment` : why;
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** A time rounded up, in the largest unit of which it has at least two: `29 days`, `90 seconds`. */
export function waitWords(ms: number): string {
  const [name, unitMs] = units.find(([, each]) => ms >= 2 * each) ?? units[3];
  const count = Math.max(1, Math.ceil(ms / unitMs));
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** How variants look in pictures: the colour of their stage, and a mark and a line of their own within it. */
import type { LoadRun } from '../records/schema.ts';
import { page, stageColours } from './palette.ts';

export type Look = { colour: string; symbol: string; dash: 'solid' | readonly number[] };

const symbols = ['circle', 'rect', 'triangle', 'diamond', 'roundRect'] as const;
const dashes = ['solid', [7, 4], [2, 3], [10, 3, 2, 3], [1, 5]] as const;

/** Of each variant, the same in every picture of a report. */
export function looksOf({ record }: LoadRun): ReadonlyMap<string, Look> {
  return looksBy(record.variants.map(({ name, stage }) => ({ name, stage })));
}

/** Of anything that belongs to a stage, in order. */
export function looksBy(items: readonly { name: string; stage: string }[]): ReadonlyMap<string, Look> {
  const colours = stageColours(items.map(({ stage }) => stage));
  const seen = new Map<string, number>();
  return new Map(
    items.map(({ name, stage }) => {
      const place = seen.get(stage) ?? 0;
      seen.set(stage, place + 1);
      const colour = colours.get(stage)!;
      const symbol = symbols[place % symbols.length]!;
      return [name, { colour, symbol, dash: dashes[place % dashes.length]! }];
    }),
  );
}

/** The mark of a trial: ● pass, × fail, △ anything else. */
export function markOf(outcome: string, color: string, size = 8) {
  if (outcome === 'pass')
    return {
      symbol: 'circle',
      symbolSize: size,
      itemStyle: { color, borderColor: page, borderWidth: 1, opacity: 1 },
    };
  if (outcome === 'fail') return crossed(color, size + 1);
  const itemStyle = { color: 'transparent', borderColor: color, borderWidth: 1.25, opacity: 1 };
  return { symbol: 'triangle', symbolSize: size, itemStyle };
}

/** The mark of what failed. */
export function crossed(color: string, size = 12) {
  return { symbol: crossPath, symbolSize: size, itemStyle: { color, opacity: 1 } };
}

/** Explains `markOf`. */
export const marksExplained = '● pass, × fail, △ void';

const crossPath = 'path://M1,0 L5,4 L9,0 L10,1 L6,5 L10,9 L9,10 L5,6 L1,10 L0,9 L4,5 L0,1 Z';

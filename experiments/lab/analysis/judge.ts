/** The verdicts of a comparison: each ratio against its margin, corrected for the number of rows. Pure. */
import type { Comparison, Verdict } from './compare.ts';
import { holm } from './holm.ts';

/** A row with its verdict. */
export type Judgement = Comparison & {
  verdict: Verdict;
  /** Two-sided: twice the smaller doubt; corrected by Holm where the row decides. Null without a verdict. */
  p: number | null;
  /** What a ratio may differ by without being a difference; 0.05 is 5 %. */
  margin: number;
};

/** The level of the whole comparison: chosen, as is usual. */
export const level = 0.05;

/**
 * p is twice the probability that the ratio is not beyond the margin on the side to which it points. Of the
 * rows that decide, the p-values are corrected by Holm. Below the level a row is better or worse.
 */
export function judge(rows: readonly Comparison[], marginOf: (row: Comparison) => number): Judgement[] {
  const doubted = rows.map((row) => {
    const margin = marginOf(row);
    return { row, margin, doubts: row.doubts?.(margin) ?? null };
  });
  const raw = doubted.map(({ doubts }) =>
    doubts === null ? null : Math.min(1, 2 * Math.min(doubts.worse, doubts.better)),
  );
  const deciding = raw.flatMap((p, index) => (p !== null && rows[index]!.decides ? [{ p, index }] : []));
  const corrected = holm(deciding.map(({ p }) => p));
  const pOf = new Map(deciding.map(({ index }, at) => [index, corrected[at]!]));
  return doubted.map(({ row, margin, doubts }, index) => {
    const p = pOf.get(index) ?? raw[index]!;
    if (doubts === null || p === null) return { ...row, margin, p: null, verdict: 'unknown' };
    const direction = doubts.worse < doubts.better ? 'worse' : 'better';
    const { why, ...judged } = row;
    if (p < level) return { ...judged, margin, p, verdict: direction };
    return { ...row, margin, p, verdict: why === undefined ? 'noise' : 'unknown' };
  });
}

/** 1 where a row that decides is worse; 3 where such a row is void; else 0. */
export function exitCodeOfComparison(rows: readonly Judgement[]): 0 | 1 | 3 {
  const deciding = rows.filter(({ decides }) => decides);
  if (deciding.some(({ verdict }) => verdict === 'worse')) return 1;
  return deciding.some(({ isVoid }) => isVoid) ? 3 : 0;
}

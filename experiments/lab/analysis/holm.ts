/** Holm's correction for many rows, of which some differ by chance (Scand. J. Statist. 6, 1979). */

/**
 * p-values adjusted so that the probability of one false finding or more among all of them stays below the
 * level that each is compared with. In the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const ascending = pValues.map((p, index) => ({ p, index })).sort((one, other) => one.p - other.p);
  const adjusted = new Array<number>(pValues.length);
  let highest = 0;
  for (const [rank, { p, index }] of ascending.entries()) {
    highest = Math.max(highest, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = highest;
  }
  return adjusted;
}

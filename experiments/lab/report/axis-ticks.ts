/** Where the marks of an axis stand: echarts marks powers of ten only on a logarithmic one. Pure. */

import { roundMarks } from '../../../loadtest/page/marks.ts';

/** Distance of the outermost value from the end of the axis, as a factor. */
const margin = 1.15;

/** A logarithmic range around the values, and at most `most` round marks in it; 1 to 10 without values. */
export function logScale(values: readonly number[], most: number) {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const lowest = positive.length === 0 ? 1 : Math.min(...positive);
  const highest = positive.length === 0 ? 10 : Math.max(...positive);
  // A range of at least a factor of three, so that close values do not look far apart.
  const spread = Math.max(margin, Math.sqrt(3 / (highest / lowest)));
  const [min, max] = [lowest / spread, highest * spread];
  return { min, max, marks: roundMarks(min, max, most) };
}

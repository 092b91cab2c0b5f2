/** Where the marks of an axis stand: echarts marks powers of ten only on a logarithmic one. Pure. */

const stepsPerDecade = [[1, 2, 3, 5], [1, 2, 5], [1, 3], [1]];
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
  const choices = stepsPerDecade.map((steps) => marksBetween(min, max, steps));
  return { min, max, marks: choices.find(({ length }) => length <= most) ?? everyOther(choices.at(-1)!) };
}

function marksBetween(min: number, max: number, steps: readonly number[]): number[] {
  const marks: number[] = [];
  for (let decade = Math.floor(Math.log10(min)); decade <= Math.log10(max); decade++)
    marks.push(...steps.map((step) => Number(`${step}e${decade}`)));
  return marks.filter((mark) => mark >= min && mark <= max);
}

function everyOther(marks: readonly number[]): number[] {
  return marks.filter((_, index) => index % 2 === 0);
}

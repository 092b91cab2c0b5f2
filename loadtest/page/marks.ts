/** Where the marks of a logarithmic axis stand. Pure. */

const stepsPerDecade = [[1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]];

/** Round values from `min` to `max`, both above 0: as many as there are up to `most`, and at least one. */
export function roundMarks(min: number, max: number, most: number): number[] {
  const choices = stepsPerDecade.map((steps) => marksBetween(min, max, steps));
  const marks = choices.find(({ length }) => length <= most) ?? choices.at(-1)!;
  const every = Math.ceil(marks.length / Math.max(1, most));
  return marks.filter((_, index) => index % every === 0);
}

function marksBetween(min: number, max: number, steps: readonly number[]): number[] {
  const marks: number[] = [];
  for (let decade = Math.floor(Math.log10(min)); decade <= Math.log10(max); decade++)
    marks.push(...steps.map((step) => Number(`${step}e${decade}`)));
  return marks.filter((mark) => mark >= min && mark <= max);
}

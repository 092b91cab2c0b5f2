/** Pictures with a row for each item: its name and its figure in one line, the drawing below it. */
import { ink, page } from './palette.ts';
import { fontPixels } from './plot.ts';

export const rowPixels = 68;
/** Height of the line of text within a row, from its top. */
const textLevel = 0.2;

export type RowText = { name: string; figure: string; remarks: readonly string[] };

/** The vertical axis: row n lies between n and n + 1, the first on top. */
export function rowsAxis(rows: number) {
  return { type: 'value', show: false, inverse: true, min: 0, max: rows };
}

/** Names at the left end of the horizontal axis, figures at its right end; what crosses them is masked. */
export function rowTexts(rows: readonly RowText[], [left, right]: readonly [number, number]) {
  const halo = { textBorderColor: page, textBorderWidth: 4 };
  const name = { show: true, position: 'right', distance: 0, color: ink, fontSize: fontPixels, ...halo };
  const figure = { ...name, position: 'left' };
  const scatter = { type: 'scatter', z: 6, symbolSize: 0.1, silent: true, itemStyle: { opacity: 1 } };
  return [
    {
      ...scatter,
      data: rows.map((row, index) => ({
        value: [left, index + textLevel],
        label: { ...name, fontWeight: 'bold', formatter: row.name },
      })),
    },
    {
      ...scatter,
      data: rows.map((row, index) => ({
        value: [right, index + textLevel],
        label: { ...figure, formatter: [row.figure, ...row.remarks].join('  ·  ') },
      })),
    },
  ];
}

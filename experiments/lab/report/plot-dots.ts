/** Rows of dots along one axis: a row for each item, a dot for each of its values, and a figure beside it. */
import { formatMs } from './format.ts';
import { page, warning } from './palette.ts';
import { axisBelow, lineOf, logRange, type Plot, renderSvg } from './plot.ts';
import { type RowText, rowPixels, rowsAxis, rowTexts } from './rows.ts';

/** `look`: how a dot differs from others of its row, as an echarts item. */
export type Dot = { value: number; look?: object };
export type DotRow = RowText & { colour: string; dots: readonly Dot[] };

type Axis = {
  name: string;
  format: (value: number) => string;
  scale: 'log' | 'value';
  /** A limit in the unit of the axis; left out: none. */
  bound?: number;
};

/** Height of the dots within a row, from its top. */
const dotLevel = 0.6;

/** Draws them. Values of a logarithmic axis are above 0. */
export function dotsPlot(rows: readonly DotRow[], axis: Axis, plot: Omit<Plot, 'svg'>): Plot {
  const values = rows.flatMap(({ dots }) => dots.map(({ value }) => value));
  const all = axis.bound === undefined ? values : [...values, axis.bound];
  const range = axis.scale === 'log' ? logRange(all, 'across') : linearRange(all);
  const svg = renderSvg(plot.file ?? 'dots', rows.length * rowPixels + 54, {
    grid: { left: 8, right: 16, top: 4, bottom: 50 },
    xAxis: axisBelow(axis.scale === 'log' ? `${axis.name}, logarithmic` : axis.name, axis.format, range),
    yAxis: rowsAxis(rows.length),
    series: [
      ...boundLines(axis.bound, rows.length),
      {
        type: 'scatter',
        symbolSize: 12,
        data: rows.flatMap(({ dots, colour }, row) =>
          dots.map(({ value, look }) => ({
            value: [value, row + dotLevel],
            itemStyle: { color: colour, borderColor: page, borderWidth: 1, opacity: 1 },
            ...look,
          })),
        ),
      },
      ...rowTexts(rows, [range.min, range.max]),
    ],
  });
  return { ...plot, svg };
}

function linearRange(values: readonly number[]) {
  const most = Math.max(1, ...values);
  const step = 10 ** Math.floor(Math.log10(most)) / 2;
  return { type: 'value', min: 0, max: Math.ceil(most / step) * step, splitNumber: 5 };
}

/** A dashed line at the limit, below all else. It has no label: the caption says what it is. */
function boundLines(bound: number | undefined, rows: number) {
  if (bound === undefined) return [];
  const ends = [
    [bound, 0],
    [bound, rows],
  ];
  const style = { ...lineOf('', warning, 1.5, ends, { type: 'dashed' }), symbol: 'none' };
  return [{ ...style, z: 1, silent: true }];
}

/** For a caption: `The dashed line is the limit of 250 ms.` */
export function boundText(boundMs: number | undefined): string {
  return boundMs === undefined ? '' : ` The dashed line is the limit of ${formatMs(boundMs)}.`;
}

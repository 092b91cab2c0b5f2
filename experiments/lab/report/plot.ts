/** The look of all plots, and their rendering to SVG text: the same bytes from the same data. */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { LegacyGridContainLabel } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import type { LoadRun } from '../records/schema.ts';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent]);
use([MarkAreaComponent, MarkLineComponent, LegacyGridContainLabel, SVGRenderer]);

/** Stand for CSS variables in a drawing, so that it is readable on a light and on a dark page. */
const themed = {
  '#000001': 'var(--ink)',
  '#000002': 'var(--muted)',
  '#000003': 'var(--line)',
  '#000004': 'var(--page)',
};
export const ink = '#000001';
export const muted = '#000002';
export const line = '#000003';
export const page = '#000004';
/** Of limits, and of trials that failed. */
export const warning = '#d1495b';

const palette = ['#8b929c', '#d39b2a', '#2f80d8', '#1f9e83', '#a55ca5', '#c8643c', '#5c6bc0', '#7a9a2c'];
const fontPixels = 13;
const width = 960;

export type Plot = { title: string; caption: string; svg: string };

/** The colour of each variant by its place in the run, the same in every plot of a report. */
export function coloursOf({ record }: LoadRun): ReadonlyMap<string, string> {
  return new Map(record.variants.map(({ name }, index) => [name, palette[index % palette.length]!]));
}

/** Draws an option; `name` is unique on the page and becomes part of the ids inside. Height in pixels. */
export function renderSvg(name: string, height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: fontPixels, color: ink },
    ...option,
  });
  const svg = withStableIds(chart.renderToSVGString(), name);
  chart.dispose();
  return Object.entries(themed)
    .reduce((text, [colour, variable]) => text.replaceAll(colour, variable), svg)
    .replace('<svg ', `<svg role="img" aria-label="${name}" `);
}

type Format = (value: number) => string;

/** A horizontal axis with its name below. */
export function axisBelow(name: string, format: Format, range: object) {
  return { ...axisStyle(name, format), nameLocation: 'middle', nameGap: 30, ...range };
}

/** A vertical axis with its name above, where its labels begin. */
export function axisLeft(name: string, format: Format, range: object) {
  const nameTextStyle = { color: muted, align: 'left' };
  return { ...axisStyle(name, format), nameLocation: 'end', nameGap: 12, nameTextStyle, ...range };
}

/** A vertical axis with one name for each row, from top to bottom. */
export function axisOfNames(data: readonly string[]) {
  return { type: 'category', data, inverse: true, ...axisStyle(''), splitLine: { show: false } };
}

/** Text, line and grid of an axis. */
export function axisStyle(name: string, formatter?: Format) {
  return {
    name,
    nameTextStyle: { color: muted, fontSize: fontPixels },
    axisLabel: { color: ink, fontSize: fontPixels, hideOverlap: true, formatter },
    axisLine: { show: true, onZero: false, lineStyle: { color: line } },
    axisTick: { show: false },
    minorSplitLine: { show: false },
    splitLine: { lineStyle: { color: line, width: 1 } },
  };
}

/** Formats powers of ten, for the labels of a logarithmic axis, and gives no text for other values. */
export function decadesOnly(format: Format): Format {
  return (value) => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? format(value) : '');
}

/** The names of variants with their colours, in one line above the plot. */
export function legendOf(names: readonly string[]) {
  return {
    data: names.map((name) => ({ name, icon: 'roundRect' })),
    top: 0,
    left: 0,
    itemWidth: 14,
    itemHeight: 6,
    itemGap: 22,
    textStyle: { color: ink, fontSize: fontPixels },
  };
}

/** A line of a variant in its colour. */
export function lineOf(name: string, color: string, width: number, data: unknown, opacity?: number) {
  return { type: 'line', name, lineStyle: { width, color, opacity }, itemStyle: { color }, data };
}

/** A logarithmic axis between powers of ten; echarts would leave the outermost points on the frame. */
export function decadesAround(values: readonly number[]): { type: 'log'; min: number; max: number } {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { type: 'log', min: 1, max: 10 };
  const min = 10 ** Math.floor(Math.log10(Math.min(...positive)));
  const max = 10 ** Math.ceil(Math.log10(Math.max(...positive) * 1.0001));
  return { type: 'log', min, max: max === min ? min * 10 : max };
}

/**
 * echarts counts ids through the life of the process, and a report must not depend on earlier drawings. Ids
 * for mouse effects and scripts are removed; the others are numbered anew.
 */
function withStableIds(svg: string, name: string): string {
  const numbers = new Map<string, string>();
  return svg
    .replaceAll(/<style ?>.*?<\/style>\n?/gs, '')
    .replaceAll(/ (?:class="zr[^"]*"|ecmeta_\w+="[^"]*")/g, '')
    .replaceAll(/zr\d+-c\d+/g, (id) => {
      if (!numbers.has(id)) numbers.set(id, `${name}-${numbers.size}`);
      return numbers.get(id)!;
    });
}

/** The look of all plots, and their rendering to SVG text: the same bytes from the same data. */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { LegacyGridContainLabel } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import { logScale } from './axis-ticks.ts';
import { coloursOf, colourVariables, ink, line, muted, type Shade, themed } from './palette.ts';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent]);
use([MarkAreaComponent, MarkLineComponent, LegacyGridContainLabel, SVGRenderer]);

/** Chosen so that a phone of 400 px shows letters of 9 to 10 px. */
export const fontPixels = 15;
export const plotWidth = 560;
const legendRowPixels = 24;
/** Generous, because without a browser the width of a text can only be estimated. */
const characterPixels = 8.4;
/** Chosen, not measured: more marks on an axis stand too close on a phone. */
const marksMax = { across: 7, up: 6 };

export type Plot = {
  title: string;
  caption: string;
  svg: string;
  /**
   * Name of its file beside the results, without `.svg`: REPORT.md shows it. The first two stand under the
   * table, the others are folded. Left out: the HTML page only.
   */
  file?: string;
};

/** Draws an option; `name` is unique on the page and becomes part of the ids inside. Height in pixels. */
export function renderSvg(
  name: string,
  height: number,
  option: EChartsCoreOption,
  width = plotWidth,
): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: fontPixels, color: ink },
    ...option,
  });
  const svg = withStableIds(chart.renderToSVGString(), name);
  chart.dispose();
  return themed(svg).replace('<svg ', `<svg role="img" aria-label="${name}" `);
}

/**
 * A drawing as a file of its own, with its page colour below it. Readable on light and on dark pages; with a
 * shade, for one kind of page only.
 */
export function svgFile({ svg, title }: Plot, shade?: Shade): string {
  const opening = svg.slice(0, svg.indexOf('>') + 1).replace(/aria-label="[^"]*"/, `aria-label="${title}"`);
  const variables = shade === undefined ? colourVariables : coloursOf(shade);
  const style = `<style>\n${variables}\n</style>`;
  const below = '<rect width="100%" height="100%" rx="6" fill="var(--page)"/>';
  return `${opening}\n${style}\n${below}${svg.slice(svg.indexOf('>') + 1)}\n`;
}

type Format = (value: number) => string;

/** A horizontal axis with its name below. */
export function axisBelow(name: string, format: Format, range: object) {
  return merged({ ...axisStyle(name, format), nameLocation: 'middle', nameGap: 32 }, range);
}

/** A vertical axis with its name above, where its labels begin. */
export function axisLeft(name: string, format: Format, range: object) {
  const nameTextStyle = { color: muted, align: 'left', fontSize: fontPixels };
  return merged(
    { ...axisStyle(name, format), nameLocation: 'end', nameGap: 14, nameTextStyle },
    { splitNumber: 4, ...range },
  );
}

/** A logarithmic range with marks at round values; for `axisBelow` and `axisLeft`. */
export function logRange(values: readonly number[], direction: keyof typeof marksMax, most?: number) {
  const { min, max, marks } = logScale(values, most ?? marksMax[direction]);
  return { type: 'log', min, max, ...marksAt(marks) };
}

/** Marks of an axis at exactly these values. */
export function marksAt(marks: readonly number[]) {
  return { axisTick: { show: false, customValues: marks }, axisLabel: { customValues: marks } };
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

/** An entry of a legend; `look` is an echarts item, such as an icon and the style of its line. */
export type LegendEntry = { name: string; look?: object };

/** Names in as many rows as they need above the plot, and the height of these rows. */
export function legendAbove(entries: readonly LegendEntry[], iconPixels = 26) {
  const rows: LegendEntry[][] = [[]];
  let used = 0;
  for (const entry of entries) {
    const pixels = 34 + iconPixels + entry.name.length * characterPixels;
    if (used > 0 && used + pixels > plotWidth) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(entry);
    used += pixels;
  }
  const legend = rows.map((row, index) => ({
    data: row.map(({ name, look }) => ({ name, ...look })),
    ...{ top: index * legendRowPixels, left: 0, itemWidth: iconPixels, itemHeight: 11, itemGap: 26 },
    textStyle: { color: ink, fontSize: fontPixels },
    inactiveColor: ink,
  }));
  return { legend, pixels: rows.length * legendRowPixels };
}

/** A line of a variant in its colour. */
export function lineOf(name: string, color: string, width: number, data: unknown, style: object = {}) {
  return { type: 'line', name, lineStyle: { width, color, ...style }, itemStyle: { color }, data };
}

/** The parts of a range that an axis has too are added to them. */
function merged<Axis extends ReturnType<typeof axisStyle>>(axis: Axis, range: object) {
  const { axisLabel = {}, axisTick = {}, ...rest } = range as { axisLabel?: object; axisTick?: object };
  return {
    ...axis,
    ...rest,
    axisLabel: { ...axis.axisLabel, ...axisLabel },
    axisTick: { ...axis.axisTick, ...axisTick },
  };
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

/** How long each failure was felt, trial by trial. */
import { medianOf } from '../../analysis/statistics.ts';
import { formatMs } from '../../report/format.ts';
import { looksBy } from '../../report/look.ts';
import { page } from '../../report/palette.ts';
import { axisBelow, logRange, type Plot, renderSvg } from '../../report/plot.ts';
import { rowPixels, rowsAxis, rowTexts } from '../../report/rows.ts';
import type { FaultRun } from './record.ts';

/** Height of the marks within a row, from its top. */
const markLevel = 0.6;

/** Null where the chat recovered in no trial. */
export function recoveryPlot({ record, trials }: FaultRun): Plot | null {
  const rows = record.variants.flatMap(({ name, stage }) => {
    const own = trials.filter(({ variant }) => variant === name);
    const times = own.flatMap(({ recoveredAfterMs }) => recoveredAfterMs ?? []);
    return times.length === 0 ? [] : { name, stage, times, missing: own.length - times.length };
  });
  if (rows.length === 0) return null;
  const looks = looksBy(rows);
  const range = logRange(
    rows.flatMap(({ times }) => times),
    'across',
  );
  const texts = rows.map(({ name, times, missing }) => {
    const remarks = missing === 0 ? [] : [`never in ${missing}`];
    return { name, figure: formatMs(medianOf(times)), remarks };
  });
  const data = rows.flatMap(({ name, times }, row) =>
    times.map((time) => ({
      value: [time, row + markLevel],
      itemStyle: { color: looks.get(name)!.colour, borderColor: page, borderWidth: 1, opacity: 1 },
    })),
  );
  const svg = renderSvg('recovery', rows.length * rowPixels + 54, {
    grid: { left: 8, right: 12, top: 4, bottom: 50 },
    xAxis: axisBelow('recovered after, logarithmic', formatMs, range),
    yAxis: rowsAxis(rows.length),
    series: [{ type: 'scatter', symbolSize: 12, data }, ...rowTexts(texts, [range.min, range.max])],
  });
  return {
    title: 'Recovery after each failure',
    caption:
      'A dot for each trial: from the fault until all participants are connected and receive everything within a second. The figure is the median.',
    svg,
    file: 'recovery',
  };
}

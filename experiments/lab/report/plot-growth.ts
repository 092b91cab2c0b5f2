/** Memory growth of the server at the highest fixed load, as bars. */
import { fixedFindings } from '../analysis/finding.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatBytes, formatNumber } from './format.ts';
import { looksOf } from './look.ts';
import { axisBelow, type Plot, renderSvg } from './plot.ts';
import { rowPixels, rowsAxis, rowTexts } from './rows.ts';

const barPixels = 16;
/** Height of a bar's middle within its row, from the top of the row. */
const barLevel = 0.56;

/** Null where memory was not observed. */
export function growthPlot(run: LoadRun): Plot | null {
  const all = fixedFindings(run);
  const highest = Math.max(...all.map(({ load }) => load));
  const findings = all.flatMap(({ variant, load, rssGrownBytes }) =>
    rssGrownBytes === null || load < highest ? [] : { variant, grown: rssGrownBytes },
  );
  if (findings.length === 0) return null;
  const { unit } = run.record.varied;
  const looks = looksOf(run);
  const max = roundUp(Math.max(1, ...findings.map(({ grown }) => grown)));
  const texts = findings.map(({ variant, grown }) => {
    return { name: variant.name, figure: formatBytes(grown), remarks: [] };
  });
  const svg = renderSvg('memory', findings.length * rowPixels + 54, {
    grid: { left: 8, right: 20, top: 4, bottom: 50 },
    xAxis: axisBelow('memory added to the idle server', formatBytes, {
      type: 'value',
      min: 0,
      max,
      splitNumber: 5,
    }),
    yAxis: rowsAxis(findings.length),
    series: [
      // Lines and not bars: rows have a numeric axis, and a line of this width is a bar.
      ...findings.map(({ variant, grown }, row) => ({
        type: 'line',
        symbol: 'none',
        lineStyle: { width: barPixels, color: looks.get(variant.name)!.colour, cap: 'butt' },
        data: [
          [0, row + barLevel],
          [Math.max(0, grown), row + barLevel],
        ],
      })),
      ...rowTexts(texts, [0, max]),
    ],
  });
  return {
    title: `Memory with ${formatNumber(highest)} ${unit}`,
    caption:
      'Highest resident memory of the server in the measure phase, less that of the idle server before the first session.',
    svg,
  };
}

/** To half of a power of ten, so that the axis ends at a mark. */
function roundUp(value: number): number {
  const step = 10 ** Math.floor(Math.log10(value)) / 2;
  return Math.ceil(value / step) * step;
}

/** Memory growth of the server at each fixed load, as bars. */
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
  const findings = fixedFindings(run).flatMap(({ variant, load, rssGrownBytes }) =>
    rssGrownBytes === null ? [] : { variant, load, grown: rssGrownBytes },
  );
  if (findings.length === 0) return null;
  const { unit } = run.record.varied;
  const looks = looksOf(run);
  const max = Math.max(1, ...findings.map(({ grown }) => grown));
  const texts = findings.map(({ variant, load, grown }) => {
    return { name: `${variant.name}, ${formatNumber(load)} ${unit}`, figure: formatBytes(grown) };
  });
  const svg = renderSvg('memory', findings.length * rowPixels + 62, {
    grid: { left: 8, right: 20, top: 4, bottom: 58 },
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
    title: 'Memory',
    caption:
      'Highest resident memory of the server in the measure phase, less that of the idle server before the first session.',
    svg,
    file: 'memory',
  };
}

/** Memory growth of the server at each fixed load, as bars. */
import { fixedFindings } from '../analysis/finding.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatBytes, formatNumber } from './format.ts';
import { axisBelow, axisOfNames, coloursOf, ink, type Plot, renderSvg } from './plot.ts';

/** Null where memory was not observed. */
export function growthPlot(run: LoadRun): Plot | null {
  const findings = fixedFindings(run).filter(({ rssGrownBytes }) => rssGrownBytes !== null);
  if (findings.length === 0) return null;
  const { unit } = run.record.varied;
  const colours = coloursOf(run);
  const formatter = ({ value }: { value: number }) => formatBytes(value);
  const svg = renderSvg('growth', 84 + findings.length * 38, {
    grid: { left: 36, right: 96, top: 8, bottom: 44, containLabel: true },
    xAxis: axisBelow('memory added to the idle server, highest reading', formatBytes, {
      type: 'value',
      min: 0,
    }),
    yAxis: axisOfNames(findings.map(({ variant, load }) => `${variant.name}, ${formatNumber(load)} ${unit}`)),
    series: {
      type: 'bar',
      barWidth: 22,
      label: { show: true, position: 'right', color: ink, formatter },
      data: findings.map(({ variant, rssGrownBytes }) => ({
        value: rssGrownBytes,
        itemStyle: { color: colours.get(variant.name) },
      })),
    },
  });
  return {
    title: 'Memory',
    caption:
      'Highest resident memory of the server in the measure phase, less that of the idle server before the first session.',
    svg,
  };
}

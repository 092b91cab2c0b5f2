/** Memory growth of the server at each fixed load, as bars. */

import { fixedFindings } from '../analysis/finding.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatBytes, formatNumber } from './format.ts';
import { axisStyle, coloursOf, ink, nameBelow, type Plot, renderSvg } from './plot.ts';

/** Null where memory was not observed. */
export function growthPlot(run: LoadRun): Plot | null {
  const findings = fixedFindings(run).filter(({ rssGrownBytes }) => rssGrownBytes !== null);
  if (findings.length === 0) return null;
  const { unit } = run.record.varied;
  const colours = coloursOf(run);
  const svg = renderSvg(
    'growth',
    {
      grid: { left: 36, right: 96, top: 8, bottom: 44, containLabel: true },
      xAxis: {
        type: 'value',
        min: 0,
        ...axisStyle('memory added to the idle server, highest reading'),
        ...nameBelow,
        axisLabel: { ...axisStyle('').axisLabel, formatter: formatBytes },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: findings.map(({ variant, load }) => `${variant.name}, ${formatNumber(load)} ${unit}`),
        ...axisStyle(''),
        splitLine: { show: false },
      },
      series: [
        {
          type: 'bar',
          barWidth: 22,
          label: {
            show: true,
            position: 'right',
            color: ink,
            formatter: ({ value }: { value: number }) => formatBytes(value),
          },
          data: findings.map(({ variant, rssGrownBytes }) => ({
            value: rssGrownBytes,
            itemStyle: { color: colours.get(variant.name) },
          })),
        },
      ],
    },
    { width: 960, height: 84 + findings.length * 38 },
  );
  return {
    title: 'Memory',
    caption:
      'Highest resident memory of the server in the measure phase, less that of the idle server before the first session.',
    svg,
  };
}

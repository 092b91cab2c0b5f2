/** Capacity of every variant as bars on a logarithmic scale, with its interval. */
import type { CustomSeriesRenderItem } from 'echarts';
import { type CapacityFinding, capacityFindings } from '../analysis/finding.ts';
import type { LoadEstimate, LoadRun } from '../records/schema.ts';
import { capacityText } from './capacity-text.ts';
import { formatMagnitude, formatNumber } from './format.ts';
import {
  axisBelow,
  axisOfNames,
  coloursOf,
  decadesAround,
  decadesOnly,
  ink,
  type Plot,
  renderSvg,
} from './plot.ts';

/** Null where no variant has a capacity. */
export function ladderPlot(run: LoadRun): Plot | null {
  const findings = capacityFindings(run).filter(({ threshold }) => threshold !== null);
  if (findings.length === 0) return null;
  const { unit } = run.record.varied;
  const intervals = findings.map(intervalOf);
  const capacities = intervals.map(({ middle }) => middle);
  const ends = intervals.map(({ high }) => high);
  const range = decadesAround([...capacities, ...ends]);
  // Bars start at the axis, so the smallest needs a decade below it; the labels need room above the largest.
  const largest = Math.max(...ends);
  const min = Math.min(range.min, 10 ** Math.floor(Math.log10(Math.min(...capacities) / 1.5)));
  const max = Math.max(range.max, 10 ** (Math.log10(largest) + 0.52 * Math.log10(largest / min)));
  const colours = coloursOf(run);
  const svg = renderSvg('ladder', 84 + findings.length * 52, {
    // Without a browser the width of a long name is only estimated, and comes out short.
    grid: { left: 44, right: 40, top: 8, bottom: 44, containLabel: true },
    xAxis: axisBelow(`${unit}, logarithmic scale`, decadesOnly(formatNumber), { type: 'log', min, max }),
    yAxis: axisOfNames(findings.map(({ variant }) => variant.name)),
    series: [
      {
        type: 'bar',
        barWidth: 26,
        data: findings.map(({ variant }, index) => ({
          value: capacities[index]!,
          itemStyle: { color: colours.get(variant.name) },
        })),
      },
      {
        type: 'custom',
        renderItem: drawInterval,
        data: intervals.map(({ low, high }, index) => [index, low, high]),
        z: 3,
      },
      {
        type: 'scatter',
        symbolSize: 0.1,
        data: findings.map((finding, index) => ({
          value: [ends[index], index],
          label: barLabel(finding, unit),
        })),
      },
    ],
  });
  return {
    title: `Capacity in ${unit}`,
    caption:
      'Bars end at the capacity: the load that half of the trials hold. The whisker is its 90 % interval.',
    svg,
  };
}

function barLabel(finding: CapacityFinding, unit: string) {
  const deliveries = finding.result?.deliveriesPerSecond ?? 0;
  const text = `${capacityText(finding)} ${unit} · ${formatMagnitude(deliveries)} deliveries/s`;
  return { show: true, position: 'right', distance: 10, formatter: text, color: ink };
}

/** A capacity of which only a lower bound is known has no width. */
function intervalOf({ threshold, atLeast }: CapacityFinding): LoadEstimate {
  return atLeast === null ? threshold!.capacity : { low: atLeast, middle: atLeast, high: atLeast };
}

const drawInterval: CustomSeriesRenderItem = (_parameters, api) => {
  const row = api.value(0);
  const [left, y] = api.coord([api.value(1), row]) as [number, number];
  const [right] = api.coord([api.value(2), row]) as [number, number];
  const stroke = (x1: number, y1: number, x2: number, y2: number) => ({
    type: 'line' as const,
    shape: { x1, y1, x2, y2 },
    style: { stroke: ink, lineWidth: 1.5 },
  });
  return {
    type: 'group',
    children: [
      stroke(left, y, right, y),
      stroke(left, y - 6, left, y + 6),
      stroke(right, y - 6, right, y + 6),
    ],
  };
};

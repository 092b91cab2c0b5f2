/** How latency rises at the edge: every trial of a search against its load as a share of the capacity. */
import { capacityFindings } from '../analysis/finding.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatMs, formatNumber } from './format.ts';
import { latencyBoundsMs, limitLine } from './limit-line.ts';
import { looksBy, markOf, marksExplained } from './look.ts';
import { line } from './palette.ts';
import { axisBelow, axisLeft, legendAbove, logRange, type Plot, renderSvg } from './plot.ts';

const plotPixels = 340;
/** Searches begin far from the edge: trials beyond these shares of the capacity are left out. Chosen. */
const shares = { min: 0.4, max: 2.5 };

/** Colours are those of the stages; null without a capacity. */
export function edgePlot(run: LoadRun): Plot | null {
  const points = capacityFindings(run).flatMap(({ variant: { stage }, threshold, atLeast, trials }) =>
    trials.flatMap(({ load, outcome, loadtest }) => {
      const capacity = atLeast ?? threshold?.capacity.middle;
      const share = capacity === undefined ? Number.NaN : load / capacity;
      if (loadtest === null || !(share >= shares.min && share <= shares.max)) return [];
      return [{ stage, outcome, share, p99: loadtest.deliveryLatencyMs.p99 }];
    }),
  );
  if (points.length === 0) return null;
  const stages = [...new Set(points.map(({ stage }) => stage))];
  const looks = looksBy(stages.map((stage) => ({ name: stage, stage })));
  const bounds = latencyBoundsMs(run);
  const latencies = logRange(
    cutAt(
      points.map(({ p99 }) => p99),
      bounds,
    ),
    'up',
  );
  const { legend, pixels } = legendAbove(
    stages.map((name) => ({ name, look: { icon: 'circle' } })),
    12,
  );
  const svg = renderSvg('edge', plotPixels + pixels, {
    grid: { left: 8, right: 28, top: pixels + 40, bottom: 44, containLabel: true },
    legend,
    xAxis: axisBelow('% of the capacity, logarithmic', (share) => formatNumber(100 * share), {
      ...logRange([shares.min, shares.max], 'across'),
      min: shares.min,
      max: shares.max,
    }),
    yAxis: axisLeft('p99 delivery latency', formatMs, latencies),
    series: stages.map((stage, index) => {
      const { colour } = looks.get(stage)!;
      return {
        ...{ type: 'scatter', name: stage, z: 4, itemStyle: { color: colour, opacity: 1 } },
        data: points
          .filter((point) => point.stage === stage)
          .map(({ share, p99, outcome }) => ({
            value: [share, Math.min(p99, latencies.max)],
            ...markOf(outcome, colour, 9),
          })),
        ...(index === 0 ? withCapacity(limitLine(bounds)) : {}),
      };
    }),
  });
  return {
    title: 'Latency near the capacity',
    caption: `Each trial of the search: ${marksExplained}. 100 % is the capacity of its own variant. At the upper end: higher still, or outstanding when the drain ended.`,
    svg,
    file: 'edge',
  };
}

/** Up to ten times the limit: what lies above says nothing more. */
function cutAt(latencies: readonly number[], [bound]: readonly number[]): number[] {
  const most = bound === undefined ? Number.POSITIVE_INFINITY : 10 * bound;
  return [...latencies.filter((latency) => latency <= most), ...(bound === undefined ? [] : [bound])];
}

/** The limit, and a line at 100 %. */
function withCapacity(limit: ReturnType<typeof limitLine>) {
  const at = { xAxis: 1, label: { show: false }, lineStyle: { color: line, type: 'solid', width: 2 } };
  const { markLine } = limit;
  return { markLine: { silent: true, symbol: 'none', ...markLine, data: [...(markLine?.data ?? []), at] } };
}

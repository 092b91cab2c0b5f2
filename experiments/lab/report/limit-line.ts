/** The limit of latency as a line in a plot. */
import { parseLimit, upperBoundOf } from '../../../loadtest/result/limits.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatMs } from './format.ts';
import { page, warning } from './palette.ts';

/** The upper bound of a latency in ms; none where the experiment has no such limit. */
export function latencyBoundsMs({ record }: LoadRun, metric = 'p99'): number[] {
  return [upperBoundOf(metric, record.limits.map(parseLimit)) ?? []].flat();
}

/** A dashed line at the bound, as a part of a series. */
export function limitLine([bound]: readonly number[], isNamed = true) {
  if (bound === undefined) return {};
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      lineStyle: { color: warning, type: 'dashed', width: 1.25 },
      label: {
        show: isNamed,
        formatter: `limit ${formatMs(bound)}`,
        position: 'insideStartTop',
        color: warning,
        fontSize: 14,
        textBorderColor: page,
        textBorderWidth: 3,
      },
      data: [{ yAxis: bound }],
    },
  };
}

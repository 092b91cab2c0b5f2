/** Latency against load, from trials at shares of the capacity of each variant. */
import type { LoadRun } from '../records/schema.ts';
import { type Curve, type CurvePoint, curvesOf } from './curve.ts';
import { formatMs, formatNumber } from './format.ts';
import { latencyBoundsMs, limitLine } from './limit-line.ts';
import { type Look, looksOf } from './look.ts';
import { ink, muted } from './palette.ts';
import {
  axisBelow,
  axisLeft,
  fontPixels,
  type LegendEntry,
  legendAbove,
  lineOf,
  logRange,
  marksAt,
  type Plot,
  renderSvg,
} from './plot.ts';

type Percentile = 'p50' | 'p99';
type Place = { xAxisIndex: number; yAxisIndex: number };

const arrivalDash = { constant: 'solid', poisson: [4, 3] } as const;
const widths = { p50: 1.25, p99: 2.5 };
const infinity = { show: true, position: 'bottom', formatter: '∞', fontSize: 20 };

/** Panels of the picture with one for each variant, two in a row, in pixels. */
const panel = { left: 68, width: 228, gap: 26, height: 150, title: 34, below: 30 };

/** p50 and p99 against the share of the capacity; null without such trials. */
export function sharePlot(run: LoadRun): Plot | null {
  const curves = curvesOf(run);
  if (curves.length === 0) return null;
  const looks = looksOf(run);
  const variants = [...new Set(curves.map(({ variant }) => variant))];
  const bounds = latencyBoundsMs(run);
  const range = logRange([...latenciesOf(curves), ...bounds], 'up', 5);
  const key = keyOf(curves);
  const { legend, pixels } = legendAbove(key);
  const rowPixels = panel.title + panel.height + panel.below;
  const rows = Math.ceil(variants.length / 2);
  const svg = renderSvg('latency-share', pixels + 8 + rows * rowPixels + 26, {
    legend,
    grid: variants.map((_, index) => ({
      left: panel.left + (index % 2) * (panel.width + panel.gap),
      width: panel.width,
      top: pixels + 8 + Math.floor(index / 2) * rowPixels + panel.title,
      height: panel.height,
    })),
    xAxis: variants.map((_, index) => shareAxis(index, index >= variants.length - 2)),
    yAxis: variants.map((variant, index) => {
      const axis = axisLeft(variant, formatMs, { ...range, gridIndex: index });
      axis.axisLabel = { ...axis.axisLabel, ...{ show: index % 2 === 0 } };
      return {
        ...axis,
        nameTextStyle: { color: ink, fontWeight: 'bold', align: 'left', fontSize: fontPixels },
      };
    }),
    series: [
      ...keySeries(key),
      ...variants.flatMap((variant, index) => {
        const place = { xAxisIndex: index, yAxisIndex: index };
        const own = curves.filter((curve) => curve.variant === variant);
        const lines = own.flatMap((curve) => {
          const percentiles = ['p50', 'p99'] as const;
          return percentiles.flatMap((percentile) =>
            seriesOf(curve, percentile, ({ share }) => 100 * share, looks.get(variant)!, place, range.max),
          );
        });
        return [{ type: 'line', data: [], ...place, ...limitLine(bounds, index === 0) }, ...lines];
      }),
    ],
  });
  return {
    title: 'Latency against the share of the capacity',
    caption:
      'Delivery latency, counted from the moment a message was due. Thick: p99, thin: p50. Solid: constant arrival, dashed: Poisson. ∞: outstanding when the drain ended.',
    svg,
    file: 'latency-share',
  };
}

/** The same latencies against loads in their own unit, all variants together; null without such trials. */
export function absolutePlot(run: LoadRun): Plot | null {
  const curves = curvesOf(run);
  if (curves.length === 0) return null;
  const looks = looksOf(run);
  const names = [...new Set(curves.map(({ variant }) => variant))];
  const bounds = latencyBoundsMs(run);
  const loads = logRange(
    curves.flatMap(({ points }) => points.map(({ load }) => load)),
    'across',
  );
  const height = 210;
  const { legend, pixels } = legendAbove([
    ...names.map((name) => ({ name, look: { icon: 'roundRect' } })),
    ...keyOf(curves).filter(({ name }) => name.startsWith('p99')),
  ]);
  const tops = [pixels + 44, pixels + 44 + height + 60];
  const percentiles = ['p99', 'p50'] as const;
  const ranges = percentiles.map((percentile) =>
    logRange([...latenciesOf(curves, percentile), ...(percentile === 'p99' ? bounds : [])], 'up', 5),
  );
  const svg = renderSvg('latency-load', tops[1]! + height + 62, {
    legend,
    grid: tops.map((top) => ({ left: panel.left, right: 24, top, height })),
    xAxis: tops.map((_, gridIndex) =>
      axisBelow(gridIndex === 0 ? '' : `${run.record.varied.unit}, logarithmic`, formatNumber, {
        ...loads,
        gridIndex,
      }),
    ),
    yAxis: percentiles.map((percentile, gridIndex) =>
      axisLeft(`${percentile} delivery latency`, formatMs, { ...ranges[gridIndex], gridIndex }),
    ),
    series: [
      ...keySeries(keyOf(curves)),
      ...names.map((name) => lineOf(name, looks.get(name)!.colour, 2, [])),
      ...percentiles.flatMap((percentile, index) => {
        const place = { xAxisIndex: index, yAxisIndex: index };
        const lines = curves.flatMap((curve) => {
          const look = looks.get(curve.variant)!;
          return seriesOf(curve, percentile, ({ load }) => load, look, place, ranges[index]!.max, 1.75);
        });
        const limit = percentile === 'p99' ? limitLine(bounds, true) : {};
        return [{ type: 'line', data: [], ...place, ...limit }, ...lines];
      }),
    ],
  });
  return {
    title: 'Latency against load',
    caption: 'The same trials against equal absolute loads. Solid: constant arrival, dashed: Poisson.',
    svg,
    file: 'latency-load',
  };
}

/** A line, and `∞` at the top where a percentile was outstanding. */
function seriesOf(
  { variant, arrival, points }: Curve,
  percentile: Percentile,
  xOf: (point: CurvePoint) => number,
  { colour }: Look,
  place: Place,
  top: number,
  width: number = widths[percentile],
) {
  const known = points.map((point) => [xOf(point), point[percentile]]);
  const endless = points.filter((point) => point[percentile] === null).map((point) => [xOf(point), top]);
  const style = { type: arrivalDash[arrival] };
  return [
    { ...lineOf(variant, colour, width, known, style), ...place, symbol: 'circle', symbolSize: 2.5 + width },
    {
      ...{ type: 'scatter', symbolSize: 0.1, ...place },
      data: endless.map((value) => ({ value, label: { ...infinity, color: colour } })),
    },
  ];
}

function shareAxis(gridIndex: number, isNamed: boolean) {
  const name = isNamed ? 'share of capacity, %' : '';
  const axis = axisBelow(name, formatNumber, {
    ...{ type: 'value', gridIndex, min: 0, max: 108 },
    ...marksAt([0, 25, 50, 75, 100]),
  });
  return { ...axis, nameTextStyle: { color: muted, fontSize: fontPixels } };
}

/** What thickness and dashes mean, in ink. */
function keyOf(curves: readonly Curve[]): (LegendEntry & { series: object })[] {
  const arrivals = [...new Set(curves.map(({ arrival }) => arrival))];
  return (['p99', 'p50'] as const).flatMap((percentile) =>
    arrivals.map((arrival) => {
      const name = `${percentile}${arrival === 'poisson' ? ', Poisson' : ''}`;
      return { name, series: lineOf(name, ink, widths[percentile], [], { type: arrivalDash[arrival] }) };
    }),
  );
}

function keySeries(key: readonly { series: object }[]) {
  return key.map(({ series }) => ({ ...series, showSymbol: false, symbol: 'none' }));
}

function latenciesOf(curves: readonly Curve[], ...only: Percentile[]): number[] {
  const wanted = only.length === 0 ? (['p50', 'p99'] as const) : only;
  return curves.flatMap(({ points }) =>
    points.flatMap((point) => wanted.flatMap((percentile) => point[percentile] ?? [])),
  );
}

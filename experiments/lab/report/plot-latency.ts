/** Latency: the whole spectrum at capacity, and its 99th percentile against the offered load. */
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { parseLimit } from '../../../loadtest/result/limits.ts';
import { shownTrials } from '../analysis/finding.ts';
import { medianOf } from '../analysis/statistics.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatMs, formatNumber } from './format.ts';
import {
  axisBelow,
  axisLeft,
  coloursOf,
  decadesAround,
  decadesOnly,
  legendOf,
  lineOf,
  muted,
  type Plot,
  page,
  renderSvg,
  warning,
} from './plot.ts';

const height = 400;
const grid = { left: 16, right: 48, top: 64, bottom: 40, containLabel: true };
/** Points per decade of 1/(1−p): enough for a smooth line, few enough to keep the page small. */
const pointsPerDecade = 24;
/** A trial of seconds has too few deliveries to show more than one in a million. */
const inverseMax = 1e6;

/** Null where no trial has a histogram. */
export function spectrumPlot(run: LoadRun): Plot | null {
  const shown = shownTrials(run).filter(({ trial }) => trial.loadtest?.histograms.deliveryLatencyUs);
  if (shown.length === 0) return null;
  const colours = coloursOf(run);
  const curves = shown.map(({ trial }) => spectrumOf(trial));
  const bounds = latencyBoundsMs(run);
  const latencies = curves.flat().map(([, latency]) => latency!);
  const rightmost = Math.max(...curves.flat().map(([x]) => x!));
  const svg = renderSvg('spectrum', height, {
    grid,
    legend: legendOf(shown.map(({ variant }) => variant)),
    xAxis: axisBelow('share of deliveries that were at least this fast', percentileOf, {
      type: 'log',
      min: 1,
      max: 10 ** Math.ceil(Math.log10(rightmost) - 0.01),
    }),
    yAxis: latencyAxis('delivery latency', [...latencies, ...bounds]),
    series: shown.map(({ variant }, index) => ({
      ...lineOf(variant, colours.get(variant)!, 2.25, curves[index]),
      showSymbol: false,
      ...(index === 0 ? limitLine(bounds) : {}),
    })),
  });
  const where = run.record.method.kind === 'capacity' ? 'at its capacity' : 'at the highest load';
  return {
    title: 'Latency spectrum',
    caption: `Every delivery of the measure phase, of the trial with the median p99 of each variant ${where}. Latency counts from the moment a message was due.`,
    svg,
  };
}

/** Null where no trial has a result. */
export function loadPlot(run: LoadRun): Plot | null {
  const { variants, varied } = run.record;
  const judged = run.trials.filter(({ loadtest }) => loadtest !== null && p99(loadtest) > 0);
  if (judged.length === 0 || run.trials.some(({ load }) => load <= 0)) return null;
  const bounds = latencyBoundsMs(run);
  const colours = coloursOf(run);
  const loadName = varied.quantity === varied.unit ? varied.unit : `${varied.quantity} (${varied.unit})`;
  const loads = decadesAround(judged.map(({ load }) => load));
  const svg = renderSvg('load', height, {
    grid,
    legend: legendOf(variants.map(({ name }) => name)),
    xAxis: axisBelow(loadName, decadesOnly(formatNumber), loads),
    yAxis: latencyAxis('p99 delivery latency', [...judged.map(({ loadtest }) => p99(loadtest)), ...bounds]),
    series: variants.flatMap(({ name }, index) => {
      const colour = colours.get(name)!;
      const trials = judged.filter(({ variant }) => variant === name).sort((a, b) => a.load - b.load);
      const sure = trials.filter(({ outcome }) => outcome !== 'void');
      const limit = index === 0 ? limitLine(bounds) : {};
      return [
        { ...lineOf(name, colour, 1.25, mediansByLoad(sure), 0.6), showSymbol: false, ...limit },
        { type: 'scatter', name, data: trials.map((trial) => pointOf(trial, colour)), z: 4 },
      ];
    }),
  });
  return {
    title: 'Latency against load',
    caption:
      'One mark for each trial: ● pass, × fail, △ void (the simulator failed). The line joins the medians.',
    svg,
  };
}

function p99(loadtest: TrialRecord['loadtest']): number {
  return loadtest!.deliveryLatencyMs.p99;
}

/** One point for each load: with several, the line would be vertical there. */
function mediansByLoad(trials: readonly TrialRecord[]): number[][] {
  return [...Map.groupBy(trials, ({ load }) => load)].map(([load, repeated]) => [
    load,
    medianOf(repeated.map(({ loadtest }) => p99(loadtest))),
  ]);
}

function pointOf({ load, loadtest, outcome }: TrialRecord, color: string) {
  const value = [load, p99(loadtest)];
  if (outcome === 'pass') {
    const itemStyle = { color, borderColor: page, borderWidth: 1 };
    return { value, symbol: 'circle', symbolSize: 9, itemStyle };
  }
  if (outcome === 'fail') return { value, symbol: crossPath, symbolSize: 10, itemStyle: { color } };
  const itemStyle = { color: 'transparent', borderColor: muted, borderWidth: 1.5 };
  return { value, symbol: 'triangle', symbolSize: 10, itemStyle };
}

const crossPath = 'path://M1,0 L5,4 L9,0 L10,1 L6,5 L10,9 L9,10 L5,6 L1,10 L0,9 L4,5 L0,1 Z';

/** Points of `[1/(1−p), latency in ms]`, as HDR histograms are usually drawn. */
function spectrumOf(trial: TrialRecord): number[][] {
  const histogram = decodeFromCompressedBase64(trial.loadtest!.histograms.deliveryLatencyUs);
  const decades = Math.log10(Math.min(inverseMax, Math.max(10, histogram.totalCount)));
  const steps = Math.floor(decades * pointsPerDecade);
  const points: number[][] = [];
  for (let step = 0; step <= steps; step++) {
    const inverse = 10 ** (step / pointsPerDecade);
    const latencyMs = histogram.getValueAtPercentile(100 * (1 - 1 / inverse)) / 1000;
    points.push([Number(inverse.toPrecision(5)), Math.max(latencyMs, 0.001)]);
  }
  return points;
}

/** The bound of the p99 limit in ms, to be drawn; none where the experiment has no such limit. */
function latencyBoundsMs({ record }: LoadRun): number[] {
  const limits = record.limits.map(parseLimit);
  const limit = limits.find(({ metric, operator }) => metric === 'p99' && operator.startsWith('<'));
  return limit === undefined ? [] : [limit.bound];
}

function latencyAxis(name: string, values: readonly number[]) {
  return axisLeft(name, decadesOnly(formatMs), decadesAround(values));
}

function limitLine([bound]: readonly number[]) {
  if (bound === undefined) return {};
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      lineStyle: { color: warning, type: 'dashed', width: 1.25 },
      label: {
        formatter: `limit ${formatMs(bound)}`,
        position: 'insideStartTop',
        color: warning,
        fontSize: 12,
        textBorderColor: page,
        textBorderWidth: 3,
      },
      data: [{ yAxis: bound }],
    },
  };
}

/** `90 %` at 10, `99.9 %` at 1,000. */
const percentileOf = decadesOnly((inverse) => {
  const nines = Math.round(Math.log10(inverse));
  return nines === 0 ? '0 %' : `${(100 * (1 - 10 ** -nines)).toFixed(Math.max(0, nines - 2))} %`;
});

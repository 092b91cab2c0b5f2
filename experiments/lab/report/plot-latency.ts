/** Latency: the whole spectrum at capacity, and its 99th percentile against the offered load. */
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { parseLimit } from '../../../loadtest/result/limits.ts';
import { shownTrials } from '../analysis/finding.ts';
import { medianOf } from '../analysis/statistics.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatMs } from './format.ts';
import {
  axisStyle,
  coloursOf,
  decadesAround,
  legendOf,
  muted,
  nameAbove,
  nameBelow,
  type Plot,
  page,
  renderSvg,
  warning,
} from './plot.ts';
import { powerOfTen } from './plot-ladder.ts';

const size = { width: 960, height: 400 };
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
  const bound = latencyBoundMs(run);
  const values = curves.flat().map(([, latency]) => latency!);
  const svg = renderSvg(
    'spectrum',
    {
      grid,
      legend: legendOf(shown.map(({ variant }) => variant)),
      xAxis: {
        type: 'log',
        min: 1,
        max: 10 ** Math.ceil(Math.log10(Math.max(...curves.flat().map(([x]) => x!))) - 0.01),
        ...axisStyle('share of deliveries that were at least this fast'),
        ...nameBelow,
        axisLabel: { ...axisStyle('').axisLabel, formatter: percentileOf },
      },
      yAxis: latencyAxis('delivery latency', bound === null ? values : [...values, bound]),
      series: shown.map(({ variant }, position) => ({
        type: 'line',
        name: variant,
        showSymbol: false,
        lineStyle: { width: 2.25, color: colours.get(variant) },
        itemStyle: { color: colours.get(variant) },
        data: curves[position],
        ...(position === 0 ? limitLine(bound) : {}),
      })),
    },
    size,
  );
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
  const judged = run.trials.filter(
    ({ loadtest, load }) => loadtest !== null && loadtest.deliveryLatencyMs.p99 > 0 && load > 0,
  );
  if (judged.length === 0 || run.trials.some(({ load }) => load <= 0)) return null;
  const bound = latencyBoundMs(run);
  const colours = coloursOf(run);
  const p99 = (trial: TrialRecord) => trial.loadtest!.deliveryLatencyMs.p99;
  const svg = renderSvg(
    'load',
    {
      grid,
      legend: legendOf(variants.map(({ name }) => name)),
      xAxis: {
        type: 'log',
        ...decadesAround(judged.map(({ load }) => load)),
        ...axisStyle(varied.quantity === varied.unit ? varied.unit : `${varied.quantity} (${varied.unit})`),
        ...nameBelow,
        axisLabel: { ...axisStyle('').axisLabel, formatter: powerOfTen },
      },
      yAxis: latencyAxis('p99 delivery latency', [...judged.map(p99), ...(bound === null ? [] : [bound])]),
      series: variants.flatMap(({ name }, index) => {
        const trials = judged.filter(({ variant }) => variant === name).sort((a, b) => a.load - b.load);
        const sure = trials.filter(({ outcome }) => outcome !== 'void');
        return [
          {
            type: 'line',
            name,
            showSymbol: false,
            lineStyle: { width: 1.25, color: colours.get(name)!, opacity: 0.6 },
            itemStyle: { color: colours.get(name)! },
            data: mediansByLoad(sure, p99),
            ...(index === 0 ? limitLine(bound) : {}),
          },
          {
            type: 'scatter',
            name,
            data: trials.map((trial) => pointOf(trial, p99(trial), colours.get(name)!)),
            z: 4,
          },
        ];
      }),
    },
    size,
  );
  return {
    title: 'Latency against load',
    caption:
      'One mark for each trial: ● pass, × fail, △ void (the simulator failed). The line joins the medians.',
    svg,
  };
}

/** One point for each load: with several, the line would be vertical there. */
function mediansByLoad(
  trials: readonly TrialRecord[],
  latencyOf: (trial: TrialRecord) => number,
): number[][] {
  const byLoad = Map.groupBy(trials, ({ load }) => load);
  return [...byLoad].map(([load, repeated]) => [load, medianOf(repeated.map(latencyOf))]);
}

function pointOf(trial: TrialRecord, latencyMs: number, colour: string) {
  const value = [trial.load, latencyMs];
  if (trial.outcome === 'pass')
    return {
      value,
      symbol: 'circle',
      symbolSize: 9,
      itemStyle: { color: colour, borderColor: page, borderWidth: 1 },
    };
  if (trial.outcome === 'fail')
    return { value, symbol: crossPath, symbolSize: 10, itemStyle: { color: colour } };
  return {
    value,
    symbol: 'triangle',
    symbolSize: 10,
    itemStyle: { color: 'transparent', borderColor: muted, borderWidth: 1.5 },
  };
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

/** The bound of a p99 limit in ms, to be drawn; null where the experiment has none. */
export function latencyBoundMs(run: LoadRun): number | null {
  const limits = run.record.limits.map(parseLimit);
  return limits.find(({ metric, operator }) => metric === 'p99' && operator.startsWith('<'))?.bound ?? null;
}

function latencyAxis(name: string, values: readonly number[]) {
  return {
    type: 'log',
    ...decadesAround(values),
    ...axisStyle(name),
    ...nameAbove,
    axisLabel: {
      ...axisStyle('').axisLabel,
      formatter: (value: number) => (powerOfTen(value) === '' ? '' : formatMs(value)),
    },
  };
}

function limitLine(bound: number | null) {
  if (bound === null) return {};
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
function percentileOf(inverse: number): string {
  if (powerOfTen(inverse) === '') return '';
  const nines = Math.round(Math.log10(inverse));
  return nines === 0 ? '0 %' : `${(100 * (1 - 10 ** -nines)).toFixed(Math.max(0, nines - 2))} %`;
}

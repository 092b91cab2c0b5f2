/** Latency: the whole spectrum at capacity, and its 99th percentile against the offered load. */
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { outstandingMs } from '../../../loadtest/record/histogram.ts';
import { isOfQuestion, shownTrials } from '../analysis/finding.ts';
import { medianOf } from '../analysis/statistics.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatMs, formatNumber } from './format.ts';
import { latencyBoundsMs, limitLine } from './limit-line.ts';
import { type Look, looksOf, markOf, marksExplained } from './look.ts';
import { axisBelow, axisLeft, legendAbove, lineOf, logRange, marksAt, type Plot, renderSvg } from './plot.ts';

const plotPixels = 340;
const grid = { left: 8, right: 28, bottom: 44, containLabel: true };
/** Points per decade of 1/(1−p): enough for a smooth line, few enough to keep the page small. */
const pointsPerDecade = 24;
/** A trial of seconds has too few deliveries to show more than one in a million. */
const inverseMax = 1e6;

/** Null where no trial has a histogram. */
export function spectrumPlot(run: LoadRun): Plot | null {
  const shown = shownTrials(run).filter(({ trial }) => trial.loadtest?.histograms.deliveryLatencyUs);
  if (shown.length === 0) return null;
  const looks = looksOf(run);
  const curves = shown.map(({ trial }) => spectrumOf(trial));
  const bounds = latencyBoundsMs(run);
  // The name of the limit stands above its line, and below that of the axis.
  const top = bounds.map((bound) => bound * 2);
  const latencies = curves.flatMap((curve) => curve.map(([, latency]) => latency!).filter(isKnown));
  const decades = Math.ceil(Math.log10(Math.max(...curves.flat().map(([x]) => x!))) - 0.01);
  const marks = Array.from({ length: decades + 1 }, (_, decade) => 10 ** decade);
  const x = { type: 'log', min: 1, max: 10 ** decades, ...marksAt(marks) };
  const { legend, pixels } = legendAbove(shown.map(({ variant }) => ({ name: variant })));
  const svg = renderSvg('spectrum', plotPixels + pixels, {
    // Half of the last percentile stands to the right of its mark.
    grid: { ...grid, right: 44, top: pixels + 40 },
    legend,
    xAxis: axisBelow('% of deliveries were at least this fast', percentileOf, x),
    yAxis: axisLeft('delivery latency', formatMs, logRange([...latencies, ...top], 'up')),
    series: shown.map(({ variant }, index) => {
      const { colour, dash } = looks.get(variant)!;
      return {
        ...lineOf(variant, colour, 2.25, curves[index], { type: dash }),
        showSymbol: false,
        ...(index === 0 ? limitLine(bounds) : {}),
      };
    }),
  });
  const where = run.record.method.kind === 'capacity' ? 'at its capacity' : 'at the highest load';
  return {
    title: 'Latency spectrum',
    caption: `Every delivery of the measure phase, of the trial that stands for each variant ${where}. Latency counts from the moment a message was due.`,
    svg,
  };
}

/** A latency of each trial, in ms; 0 or less where it has none. */
type Figure = {
  of(loadtest: NonNullable<TrialRecord['loadtest']>): number;
  title: string;
  axis: string;
  /** In the limits of a run. */
  metric: string;
};

const deliveryP99: Figure = {
  of: ({ deliveryLatencyMs }) => deliveryLatencyMs.p99,
  title: 'Latency of the trials',
  axis: 'p99 delivery latency',
  metric: 'p99',
};

const caughtUp99: Figure = {
  of: ({ resume }) => resume?.storm?.caughtUp99AfterMs ?? 0,
  title: 'Time until 99 % of those who left have caught up',
  axis: '99 % caught up after',
  metric: 'caught-up-p99',
};

/** The p99 of every trial of a search, or of given loads; null where no trial has a result. */
export function loadPlot(run: LoadRun): Plot | null {
  return figurePlot(run, deliveryP99);
}

/** The same of the time until 99 % have caught up; null where nobody left. */
export function stormPlot(run: LoadRun): Plot | null {
  return figurePlot(run, caughtUp99);
}

function figurePlot(run: LoadRun, figure: Figure): Plot | null {
  const { variants, varied } = run.record;
  const judged = run.trials.filter(
    (trial) => trial.loadtest !== null && figure.of(trial.loadtest) > 0 && isOfQuestion(trial),
  );
  if (judged.length === 0 || run.trials.some(({ load }) => load <= 0)) return null;
  const finite = judged.map(({ loadtest }) => figure.of(loadtest!)).filter(isKnown);
  const bounds = latencyBoundsMs(run, figure.metric);
  const looks = looksOf(run);
  const loadName = varied.quantity === varied.unit ? varied.unit : `${varied.quantity} (${varied.unit})`;
  const latencies = logRange([...finite, ...bounds], 'up');
  const { legend, pixels } = legendAbove(variants.map(({ name }) => ({ name })));
  const svg = renderSvg('load', plotPixels + pixels, {
    grid: { ...grid, top: pixels + 40 },
    legend,
    xAxis: axisBelow(
      `${loadName}, logarithmic`,
      formatNumber,
      logRange(
        judged.map(({ load }) => load),
        'across',
      ),
    ),
    yAxis: axisLeft(figure.axis, formatMs, latencies),
    series: variants.flatMap(({ name }, index) => {
      const { colour, dash } = looks.get(name)!;
      const trials = judged.filter(({ variant }) => variant === name).sort((a, b) => a.load - b.load);
      const sure = trials.filter(({ outcome }) => outcome === 'pass' || outcome === 'fail');
      const limit = index === 0 ? limitLine(bounds) : {};
      const style = { type: dash, opacity: 0.6 };
      return [
        { ...lineOf(name, colour, 1.25, mediansByLoad(sure, figure), style), showSymbol: false, ...limit },
        {
          type: 'scatter',
          data: trials.map((trial) => pointOf(trial, figure, looks.get(name)!, latencies.max)),
          z: 4,
        },
      ];
    }),
  });
  return {
    title: figure.title,
    caption: `One mark for each trial: ${marksExplained}. At the upper end: outstanding when the drain ended. The line joins the medians of the trials that were not void.`,
    svg,
  };
}

/** Whether the deliveries that it stands for came before the drain ended. */
function isKnown(latencyMs: number): boolean {
  return latencyMs < outstandingMs;
}

/** One point for each load: with several, the line would be vertical there. */
function mediansByLoad(trials: readonly TrialRecord[], { of }: Figure): number[][] {
  return [...Map.groupBy(trials, ({ load }) => load)].map(([load, repeated]) => [
    load,
    medianOf(repeated.map(({ loadtest }) => of(loadtest!))),
  ]);
}

function pointOf({ load, loadtest, outcome }: TrialRecord, { of }: Figure, { colour }: Look, top: number) {
  return { value: [load, Math.min(of(loadtest!), top)], ...markOf(outcome, colour, 9) };
}

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

/** `90` at 10, `99.9` at 1,000. */
function percentileOf(inverse: number): string {
  const nines = Math.round(Math.log10(inverse));
  return nines === 0 ? '0' : (100 * (1 - 10 ** -nines)).toFixed(Math.max(0, nines - 2));
}

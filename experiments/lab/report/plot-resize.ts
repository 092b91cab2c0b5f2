/** Nodes that come and go over time: where people sit, how many come back, and what they feel. */
import { fixedFindings } from '../analysis/finding.ts';
import { joinsPerSecond } from '../analysis/resize.ts';
import type { ResizeRecord } from '../records/resize-schema.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatNumber } from './format.ts';
import { looksOf } from './look.ts';
import { ink, muted } from './palette.ts';
import { axisBelow, axisLeft, legendAbove, lineOf, logRange, type Plot, renderSvg } from './plot.ts';

const chartPixels = 250;
const dashes = ['solid', [8, 4], [2, 3], [10, 3, 2, 3]] as const;

/** Of the last variant and highest load that was measured; empty where no node came and went. */
export function resizePlots(run: LoadRun): Plot[] {
  const shown = fixedFindings(run).findLast(({ typical }) => typical?.resize && typical.loadtest);
  const trial = shown?.typical;
  if (!trial?.resize || !trial.loadtest) return [];
  const { colour } = looksOf(run).get(trial.variant)!;
  const about = `${trial.variant}, ${formatNumber(trial.load)} ${run.record.varied.unit}`;
  return [sessionsPlot(trial.resize, about, colour), feltPlot(trial, trial.resize, about, colour)];
}

function sessionsPlot(resize: ResizeRecord, about: string, colour: string): Plot {
  const { samples, events } = resize;
  const nodes = Math.max(...samples.map(({ sessions }) => sessions.length));
  const names = Array.from({ length: nodes }, (_, node) => `node ${node + 1}`);
  const { legend, pixels } = legendAbove(names.map((name) => ({ name })));
  const series = names.map((name, node) =>
    lineOf(
      name,
      node === 0 ? ink : colour,
      2,
      samples.map(({ atSeconds, sessions }) => [atSeconds, sessions[node] ?? null]),
      {
        type: dashes[node % dashes.length],
      },
    ),
  );
  return {
    title: 'Where people sit',
    caption: `Sessions of each node, read twice a second. ${about}. ${eventsText(events)}`,
    svg: renderSvg('sessions', chartPixels + pixels, {
      legend,
      grid: { left: 8, right: 20, top: pixels + 40, bottom: 46, containLabel: true },
      xAxis: timeAxis(resize),
      yAxis: axisLeft('sessions', formatNumber, { type: 'value', min: 0 }),
      series: series.map((one) => ({ ...one, symbol: 'none' })),
    }),
    file: 'sessions',
  };
}

function feltPlot(trial: TrialRecord, resize: ResizeRecord, about: string, colour: string): Plot {
  const { atSeconds, deliveryLatencyMsP99 } = trial.loadtest!.series;
  const latency = atSeconds.map((at, index) => [at + 0.5, deliveryLatencyMsP99[index] || null]);
  const joins = joinsPerSecond(resize).map(([at, perSecond]) => [at, perSecond >= 1 ? perSecond : null]);
  const names = ['p99 of the second, ms', 'came back per second'];
  const { legend, pixels } = legendAbove(names.map((name) => ({ name })));
  const values = [...latency, ...joins].flatMap(([, value]) => value ?? []);
  return {
    title: 'What is felt meanwhile',
    caption: `Delivery latency of the messages of each second, and clients that came back and resumed in a second. ${about}.`,
    svg: renderSvg('felt', chartPixels + pixels, {
      legend,
      grid: { left: 8, right: 20, top: pixels + 40, bottom: 46, containLabel: true },
      xAxis: timeAxis(resize),
      yAxis: axisLeft('ms, and clients per second', formatNumber, logRange(values, 'up', 5)),
      series: [
        { ...lineOf(names[0]!, colour, 2, latency), symbol: 'none' },
        { ...lineOf(names[1]!, muted, 2, joins, { type: [4, 3] }), symbol: 'none' },
      ],
    }),
    file: 'felt',
  };
}

function timeAxis({ samples }: ResizeRecord) {
  const max = Math.ceil(samples.at(-1)!.atSeconds);
  return axisBelow('since the measure phase began', (value) => `${value} s`, {
    type: 'value',
    min: 0,
    max,
  });
}

function eventsText(events: ResizeRecord['events']): string {
  const times = (wanted: string) =>
    events.filter(({ what }) => what === wanted).map(({ atSeconds }) => `${atSeconds.toFixed(1)} s`);
  return `Nodes added at ${times('added').join(', ') || '–'}, told to leave at ${times('leaves').join(', ') || '–'}.`;
}

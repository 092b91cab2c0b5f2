/** The typical trial of each variant over time: deliveries, latency, CPU, memory and event loop. */
import { type ShownTrial, shownTrials } from '../analysis/finding.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatBytes, formatMagnitude, formatMs, formatNumber } from './format.ts';
import { type Look, looksOf } from './look.ts';
import { line } from './palette.ts';
import { axisLeft, axisStyle, legendAbove, lineOf, logRange, type Plot, renderSvg } from './plot.ts';

type Points = [number, number | null][];
type Panel = {
  title: string;
  scale: 'value' | 'log';
  format: (value: number) => string;
  pointsOf: (trial: TrialRecord) => Points;
};

/** Of a panel; two of them stand side by side where there is room. */
const panelPixels = { width: 480, height: 210 };
/** Earlier seconds are cut off: a long ramp of connections would leave little room for the measure phase. */
const beforeSecondsMax = -6;

const panels: readonly Panel[] = [
  panel('deliveries/s', 'log', formatMagnitude, (trial) => perSecond(trial, 'deliveriesPerSecond')),
  panel('p99 delivery latency', 'log', formatMs, (trial) => perSecond(trial, 'deliveryLatencyMsP99')),
  panel('server CPU, cores', 'value', formatNumber, (trial) => serverSum(trial, 'cpuCores')),
  panel('simulator CPU, cores', 'value', formatNumber, (trial) => perSecond(trial, 'instrumentCpuCores')),
  panel('server memory (resident)', 'value', formatBytes, (trial) => serverSum(trial, 'rssBytes')),
  panel('event-loop lag p99', 'log', formatMs, ({ metrics }) => worst(metrics, 'eventLoopLagMsP99')),
  panel('/metrics answer time', 'log', formatMs, ({ metrics }) => worst(metrics, 'scrapeMs')),
  panel('share of time throttled by the CPU quota', 'value', formatNumber, (trial) =>
    worst(serversOf(trial), 'throttledShare'),
  ),
];

/** Null where no trial has a series. */
export function timelinePlot(run: LoadRun): Plot | null {
  const shown = shownTrials(run).filter(({ trial }) => trial.nodes.length > 0 && trial.loadtest !== null);
  if (shown.length === 0) return null;
  const drawn = panels.filter((panel) =>
    shown.some(({ trial }) => panel.pointsOf(trial).some(([, value]) => value !== null)),
  );
  const looks = looksOf(run);
  const { legend, pixels } = legendAbove(shown.map(({ variant }) => ({ name: variant })));
  const key = shown.map(({ variant }) => lineOf(variant, looks.get(variant)!.colour, 2, []));
  const hidden = { show: false, type: 'value' };
  const svg = [
    renderSvg('timeline', pixels, { legend, xAxis: hidden, yAxis: hidden, series: key }),
    ...drawn.map((panel, index) => panelSvg(panel, index, shown, looks)),
  ].join('\n');
  return {
    title: 'The run over time',
    caption:
      'Seconds from the start of the measure phase, which is shaded; before it are connections, probe and warm-up, after it the drain. CPU and memory are sampled four times a second from outside, event-loop lag once a second from the server’s own metrics: a blocked loop cannot report, and then /metrics answers late.',
    svg,
  };
}

function panel(
  title: string,
  scale: Panel['scale'],
  format: Panel['format'],
  pointsOf: Panel['pointsOf'],
): Panel {
  return { title, scale, format, pointsOf };
}

function panelSvg(
  panel: Panel,
  index: number,
  shown: readonly ShownTrial[],
  looks: ReadonlyMap<string, Look>,
): string {
  const { width, height } = panelPixels;
  return renderSvg(
    `timeline-${index + 1}`,
    height,
    {
      grid: { left: 8, right: 20, top: 40, bottom: 8, containLabel: true },
      xAxis: timeAxis(shown),
      yAxis: valueAxis(panel, shown),
      series: shown.map((one, place) => seriesOf(panel, one, looks.get(one.variant)!, place === 0)),
    },
    width,
  );
}

function timeAxis(shown: readonly ShownTrial[]) {
  const times = shown.map(({ trial }) => trial.nodes[0]?.atSeconds ?? []);
  const min = Math.max(beforeSecondsMax, Math.floor(Math.min(...times.map((at) => at[0] ?? 0))));
  const max = Math.ceil(Math.max(...times.map((at) => at.at(-1) ?? 1)));
  const style = axisStyle('', (value) => `${value} s`);
  return { type: 'value', min, max, ...style, splitLine: { show: false } };
}

function valueAxis({ title, scale, format, pointsOf }: Panel, shown: readonly ShownTrial[]) {
  if (scale === 'value') return axisLeft(title, format, { type: scale, min: 0 });
  const values = shown.flatMap(({ trial }) => pointsOf(trial).flatMap(([, value]) => value ?? []));
  return axisLeft(title, format, logRange(values, 'up', 5));
}

function seriesOf(panel: Panel, { variant, trial }: ShownTrial, { colour, dash }: Look, first: boolean) {
  const points = panel.pointsOf(trial);
  // A logarithmic axis has no zero: seconds in which nothing happened are gaps.
  const data = points.map(([at, value]) => [at, panel.scale === 'log' && value === 0 ? null : value]);
  const markArea = { silent: true, itemStyle: { color: line, opacity: 0.35 }, data: [measurePhase(trial)] };
  return {
    ...lineOf(variant, colour, 1.75, data, { type: dash }),
    showSymbol: points.length < 16,
    symbol: 'circle',
    symbolSize: 4,
    ...(first ? { markArea } : {}),
  };
}

function measurePhase({ phases, loadtest }: TrialRecord) {
  const drain = phases.find(({ phase }) => phase === 'drain');
  return [{ xAxis: 0 }, { xAxis: drain?.atSeconds ?? loadtest!.workload.durationSeconds }];
}

function perSecond(
  trial: TrialRecord,
  field: 'deliveriesPerSecond' | 'deliveryLatencyMsP99' | 'instrumentCpuCores',
): Points {
  const { series } = trial.loadtest!;
  // A value stands for the second that begins at its time: drawn at the middle of it.
  return series.atSeconds.map((at, index) => [at + 0.5, series[field][index]!]);
}

function serversOf({ nodes }: TrialRecord) {
  return nodes.filter(({ role }) => role === 'server');
}

function serverSum(trial: TrialRecord, field: 'cpuCores' | 'rssBytes'): Points {
  const servers = serversOf(trial);
  const sum = (index: number) => servers.reduce((total, node) => total + (node[field][index] ?? 0), 0);
  return (servers[0]?.atSeconds ?? []).map((at, index) => [at, sum(index)]);
}

/** The highest value of the nodes at each time; null where none has one. */
function worst<Field extends string>(
  nodes: readonly ({ atSeconds: number[] } & Record<Field, (number | null)[]>)[],
  field: Field,
): Points {
  return (nodes[0]?.atSeconds ?? []).map((at, index) => {
    const known = nodes.flatMap((node) => node[field][index] ?? []);
    return [at, known.length === 0 ? null : Math.max(...known)];
  });
}

/** The typical trial of each variant over time: deliveries, latency, CPU, memory and event loop. */
import { type ShownTrial, shownTrials } from '../analysis/finding.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { formatBytes, formatMagnitude, formatMs } from './format.ts';
import {
  axisLeft,
  axisStyle,
  coloursOf,
  decadesAround,
  decadesOnly,
  legendOf,
  line,
  lineOf,
  type Plot,
  renderSvg,
} from './plot.ts';

type Points = [number, number | null][];
type Panel = {
  title: string;
  scale: 'value' | 'log';
  format: (value: number) => string;
  pointsOf: (trial: TrialRecord) => Points;
};

const panelHeight = 150;
const panelGap = 74;
const top = 66;
/** Earlier seconds are cut off: a long ramp of connections would leave little room for the measure phase. */
const beforeSecondsMax = -6;

const panels: readonly Panel[] = [
  panel('deliveries/s', 'log', formatMagnitude, (trial) => perSecond(trial, 'deliveriesPerSecond')),
  panel('p99 delivery latency', 'log', formatMs, (trial) => perSecond(trial, 'deliveryLatencyMsP99')),
  panel('server CPU, cores', 'value', String, (trial) => serverSum(trial, 'cpuCores')),
  panel('simulator CPU, cores', 'value', String, (trial) => perSecond(trial, 'instrumentCpuCores')),
  panel('server memory (resident)', 'value', formatBytes, (trial) => serverSum(trial, 'rssBytes')),
  panel('event-loop lag p99', 'log', formatMs, ({ metrics }) => worst(metrics, 'eventLoopLagMsP99')),
  panel('/metrics answer time', 'log', formatMs, ({ metrics }) => worst(metrics, 'scrapeMs')),
  panel('share of time throttled by the CPU quota', 'value', String, (trial) =>
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
  const colours = coloursOf(run);
  const rows = Math.ceil(drawn.length / 2);
  const grids = drawn.map((_, index) => ({
    left: index % 2 === 0 ? '7%' : '57%',
    width: '41%',
    top: top + Math.floor(index / 2) * (panelHeight + panelGap),
    height: panelHeight,
  }));
  const svg = renderSvg('timeline', top + rows * (panelHeight + panelGap) - panelGap + 44, {
    legend: legendOf(shown.map(({ variant }) => variant)),
    grid: grids,
    xAxis: drawn.map((_, index) => timeAxis(index, shown)),
    yAxis: drawn.map((panel, index) => valueAxis(panel, index, shown)),
    series: drawn.flatMap((panel, index) =>
      shown.map((one, position) => seriesOf(panel, index, one, colours.get(one.variant)!, position === 0)),
    ),
  });
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

function timeAxis(gridIndex: number, shown: readonly ShownTrial[]) {
  const times = shown.map(({ trial }) => trial.nodes[0]?.atSeconds ?? []);
  const min = Math.max(beforeSecondsMax, Math.floor(Math.min(...times.map((at) => at[0] ?? 0))));
  const max = Math.ceil(Math.max(...times.map((at) => at.at(-1) ?? 1)));
  const style = axisStyle('', (value) => `${value} s`);
  return { type: 'value', gridIndex, min, max, ...style, splitLine: { show: false } };
}

function valueAxis(
  { title, scale, format, pointsOf }: Panel,
  gridIndex: number,
  shown: readonly ShownTrial[],
) {
  if (scale === 'value') return axisLeft(title, format, { type: scale, gridIndex, min: 0, splitNumber: 3 });
  const values = shown.flatMap(({ trial }) => pointsOf(trial).flatMap(([, value]) => value ?? []));
  return axisLeft(title, decadesOnly(format), { ...decadesAround(values), gridIndex, splitNumber: 3 });
}

function seriesOf(
  panel: Panel,
  index: number,
  { variant, trial }: ShownTrial,
  colour: string,
  first: boolean,
) {
  const points = panel.pointsOf(trial);
  // A logarithmic axis has no zero: seconds in which nothing happened are gaps.
  const data = points.map(([at, value]) => [at, panel.scale === 'log' && value === 0 ? null : value]);
  const markArea = { silent: true, itemStyle: { color: line, opacity: 0.35 }, data: [measurePhase(trial)] };
  return {
    ...lineOf(variant, colour, 1.75, data),
    xAxisIndex: index,
    yAxisIndex: index,
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

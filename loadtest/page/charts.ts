/** From a state to what its charts show: figures and colours, no drawing. Browsers use this file too. */
import { type LatencyCounts, lowestUsOf } from '../record/latency-counts.ts';
import type { PageEstimate, PageNode, PageState, PageTrial } from './state.ts';
import { bytesText, msText, numberText, shareText } from './text.ts';

export type ChartLine = { name: string; colour: string; values: (number | null)[] };

/** One chart of a trial; all of them have seconds of the trial across. */
export type Chart = {
  title: string;
  scale: 'log' | 'linear';
  /** A figure with its unit. */
  text: (value: number) => string;
  atSeconds: number[];
  lines: ChartLine[];
  /** A line across; null: none. */
  limit: number | null;
};

/** Latency over time: a column for each second, a row for each range of latencies, a shade for the count. */
export type HeatMap = { atSeconds: number[]; columns: LatencyCounts[]; countMax: number };

/** The load of each trial, in the order they ran; those without one are left out. */
export type LoadPoint = {
  trial: PageTrial;
  load: number;
  colour: string;
  estimate: PageEstimate | null;
};

/** Colours of lines that stand for no stage, by their place. */
const lineColours = ['var(--line-1)', 'var(--line-2)', 'var(--line-3)', 'var(--line-4)', 'var(--line-5)'];

/** The charts of a trial for which it has readings. */
export function chartsOf(trial: PageTrial, limitMs: number | null): Chart[] {
  const { seconds, nodes } = trial;
  const charts: Chart[] = [];
  if (seconds !== null && seconds.atSeconds.length > 0) {
    const { atSeconds, p50, p99, max, deliveries } = seconds;
    // A logarithmic axis has no zero, and a second without deliveries has no latency.
    const heard = (values: readonly number[]) => values.map((value) => (value > 0 ? value : null));
    const latency = { p50, p99, max };
    charts.push({
      ...{ title: 'Delivery latency', scale: 'log', text: msText, atSeconds, limit: limitMs },
      lines: linesOf(Object.entries(latency).map(([name, values]) => [name, heard(values)])),
    });
    if (deliveries.length > 0)
      charts.push({
        ...{ title: 'Deliveries per second', scale: 'linear', text: numberText, atSeconds, limit: null },
        lines: linesOf([['deliveries/s', deliveries]]),
      });
  }
  const parts = nodes.filter(({ atSeconds }) => atSeconds.length > 0);
  const times = [...new Set(parts.flatMap(({ atSeconds }) => atSeconds))].sort((a, b) => a - b);
  const coresText = (cores: number) => `${numberText(cores)} ${cores === 1 ? 'core' : 'cores'}`;
  const perPart = (of: (node: PageNode) => (number | null)[]) =>
    parts.map((node): [string, (number | null)[]] => [node.name, aligned(times, node.atSeconds, of(node))]);
  const chart = (title: string, text: Chart['text'], of: (node: PageNode) => (number | null)[]) => {
    const lines = perPart(of);
    if (lines.some(([, values]) => values.some((value) => value !== null)))
      charts.push({ title, scale: 'linear', text, atSeconds: times, limit: null, lines: linesOf(lines) });
  };
  chart('CPU', coresText, ({ cpuCores }) => cpuCores);
  chart('Memory', bytesText, ({ rssBytes }) => rssBytes);
  chart('Held back by the CPU quota', shareText, ({ throttledShare }) => throttledShare);
  if (seconds !== null && seconds.simulatorCores.length > 0)
    charts.push({
      ...{ title: 'CPU of the simulator', scale: 'linear', text: coresText, limit: null },
      ...{ atSeconds: seconds.atSeconds, lines: linesOf([['simulator', seconds.simulatorCores]]) },
    });
  return charts;
}

/** Null where the trial has no counts. */
export function heatMapOf({ seconds }: PageTrial): HeatMap | null {
  if (seconds === null || seconds.counts.every(({ counts }) => counts.length === 0)) return null;
  const countMax = Math.max(...seconds.counts.map(({ counts }) => Math.max(0, ...counts)));
  return { atSeconds: seconds.atSeconds, columns: seconds.counts, countMax };
}

/** Bounds of a row of a heat map in milliseconds. The lowest row reaches down to nothing. */
export function boundsMsOf(bucket: number): [from: number, to: number] {
  return [lowestUsOf(bucket) / 1000, lowestUsOf(bucket + 1) / 1000];
}

/** Warm-ups are points only until their variant has other trials: they say nothing about its capacity. */
export function loadPointsOf(state: PageState): LoadPoint[] {
  const isWarmUp = ({ purpose }: PageTrial) => purpose === 'warm-up';
  const tried = new Set(state.trials.filter((trial) => !isWarmUp(trial)).map(({ variant }) => variant));
  const colours = new Map(state.variants.map(({ name, colour }) => [name, colour]));
  return state.trials.flatMap((trial) => {
    const { load, variant, estimate } = trial;
    return load === null || (isWarmUp(trial) && tried.has(variant))
      ? []
      : [{ trial, load, colour: colours.get(variant) ?? 'var(--ink)', estimate }];
  });
}

/** One row for each variant that has been tried. */
export type IntervalRow = {
  variant: string;
  colour: string;
  estimate: PageEstimate | null;
  trials: number;
  voids: number;
};

/** What is known of each variant so far; empty where no capacity is searched. */
export function intervalsOf({ variants, trials }: PageState): IntervalRow[] {
  const rows = variants.flatMap(({ name, colour }) => {
    const isOwn = ({ variant, outcome, purpose }: PageTrial) =>
      variant === name && outcome !== 'running' && purpose !== 'warm-up';
    const own = trials.filter(isOwn);
    const estimate = own.findLast((trial) => trial.estimate !== null)?.estimate ?? null;
    const voids = own.filter(({ outcome }) => outcome === 'void').length;
    return own.length === 0 ? [] : [{ variant: name, colour, estimate, trials: own.length, voids }];
  });
  return rows.some(({ estimate }) => estimate !== null) ? rows : [];
}

/** The trial to show: the one that was chosen, else the one that runs, else the last with a timeline. */
export function shownTrial({ trials }: PageState, chosen: number | null): PageTrial | undefined {
  return (
    trials.find(({ number }) => number === chosen) ??
    trials.findLast(({ outcome }) => outcome === 'running') ??
    trials.findLast(hasTimeline) ??
    trials.at(-1)
  );
}

/** Whether there is anything to draw over its time. */
export function hasTimeline({ seconds, nodes }: PageTrial): boolean {
  return seconds !== null || nodes.length > 0;
}

/** In a sentence, for people who hear the page, and for the heading of its timeline. */
export function trialText({ number, variant, about, outcome, phases }: PageTrial): string {
  const phase = outcome === 'running' ? (phases.at(-1)?.phase ?? 'running') : outcome;
  return `trial ${number} · ${variant} · ${about} · ${phase}`;
}

function linesOf(named: readonly (readonly [string, (number | null)[]])[]): ChartLine[] {
  return named.map(([name, values], index) => {
    return { name, values, colour: lineColours[index % lineColours.length]! };
  });
}

/** Values at all of the times; null where there is none. */
function aligned(times: readonly number[], own: readonly number[], values: readonly (number | null)[]) {
  const byTime = new Map(own.map((at, index) => [at, values[index] ?? null]));
  return times.map((at) => byTime.get(at) ?? null);
}

/**
 * What the page of a run shows. Results become a state, and so do the events of a run that goes on; the page
 * draws a state, whichever way it came. Pure; browsers use this file too.
 */
import type { LatencyCounts } from '../record/latency-counts.ts';
import type { Second } from '../record/series.ts';

export type PageOutcome = 'running' | 'pass' | 'fail' | 'void' | 'interrupted';

/** A load with its 90 % interval. */
export type PageEstimate = { low: number; middle: number; high: number };

/** Columns of equal length: one value for each second. Latencies in milliseconds. */
export type PageSeconds = {
  /** Since the measure phase began; negative before it. */
  atSeconds: number[];
  deliveries: number[];
  p50: number[];
  p99: number[];
  max: number[];
  /** This and the deliveries are empty where the result has none. */
  counts: LatencyCounts[];
  /** CPU of the simulator, in cores; empty where the result has none. */
  simulatorCores: number[];
};

/** Readings of one part of the target. */
export type PageNode = {
  name: string;
  atSeconds: number[];
  /** Null where it was not read. */
  cpuCores: (number | null)[];
  rssBytes: (number | null)[];
  /** Share of the time in which its CPU quota held it back, 0 to 1; null where no quota is visible. */
  throttledShare: (number | null)[];
};

/** One trial of an experiment, or one step of a load test. */
export type PageTrial = {
  number: number;
  variant: string;
  /** In the unit of the state; null where loads are not what the trials differ in. */
  load: number | null;
  /** The load with its unit, or what else was done. */
  about: string;
  purpose: string;
  outcome: PageOutcome;
  reasons: readonly string[];
  /** Of the whole measure phase; null where it was not measured, and while it runs. */
  p99Ms: number | null;
  deliveriesPerSecond: number | null;
  /** The capacity of the variant as known after this trial; null where it is not searched, or not known. */
  estimate: PageEstimate | null;
  phases: { phase: string; atSeconds: number }[];
  /** Null where the result keeps none. */
  seconds: PageSeconds | null;
  nodes: PageNode[];
};

export type PageVariant = {
  name: string;
  /** A CSS colour, such as `var(--stage-3)`. */
  colour: string;
};

export type PageState = {
  /** In a few words, for the title of the window. */
  title: string;
  question: string;
  /** Of the loads, such as `messages/s`. */
  unit: string;
  /** Latency limit in milliseconds, drawn as a line; null: none. */
  limitMs: number | null;
  variants: PageVariant[];
  trials: PageTrial[];
  /** Null where the time left is not known. */
  clock: { elapsedSeconds: number; leftSeconds: number | null } | null;
  isEnded: boolean;
};

export type PageSecond = Omit<Second, 'sent' | 'scheduleLagMsP99' | 'sessionsOpen'>;

/** One reading of each part of the target. */
export type PageReading = {
  name: string;
  cpuCores: number;
  rssBytes: number;
  throttledShare: number | null;
};

export type PageEvent =
  /** A trial begins, or has ended with its result. */
  | { event: 'trial'; trial: PageTrial }
  | { event: 'phase'; phase: string }
  | { event: 'second'; second: PageSecond; readings: PageReading[] }
  | { event: 'clock'; elapsedSeconds: number; leftSeconds: number | null }
  | { event: 'state'; state: PageState };

/** Of a trial that runs: what is older is drawn from its result. Chosen, not measured. */
const secondsMax = 3600;

/** The state after an event. */
export function applyEvent(state: PageState, event: PageEvent): PageState {
  switch (event.event) {
    case 'state':
      return event.state;
    case 'clock':
      return { ...state, clock: { elapsedSeconds: event.elapsedSeconds, leftSeconds: event.leftSeconds } };
    case 'trial':
      return { ...state, trials: withTrial(state.trials, event.trial) };
    case 'phase':
      return changeRunning(state, (trial) => ({
        ...trial,
        phases: [...trial.phases, { phase: event.phase, atSeconds: beginOf(event.phase, trial) }],
      }));
    case 'second':
      return changeRunning(state, (trial) => withSecond(trial, event.second, event.readings));
  }
}

/** The trial that runs; undefined between trials and after the last. */
export function runningTrial(state: PageState): PageTrial | undefined {
  return state.trials.findLast(({ outcome }) => outcome === 'running');
}

export function emptySeconds(): PageSeconds {
  return { atSeconds: [], deliveries: [], p50: [], p99: [], max: [], counts: [], simulatorCores: [] };
}

/** A trial that begins. */
export function newTrial(
  title: Pick<PageTrial, 'number' | 'variant' | 'load' | 'about' | 'purpose'>,
): PageTrial {
  return {
    ...title,
    outcome: 'running',
    reasons: [],
    p99Ms: null,
    deliveriesPerSecond: null,
    estimate: null,
    phases: [],
    seconds: emptySeconds(),
    nodes: [],
  };
}

/** In the place of the one with its number. A trial that began and has no result is gone. */
function withTrial(trials: readonly PageTrial[], trial: PageTrial): PageTrial[] {
  const others = trials.filter(({ number, outcome }) => number !== trial.number && outcome !== 'running');
  return [...others, trial].sort((a, b) => a.number - b.number);
}

/** Seconds count from the measure phase; every other begins after the last second that is known. */
function beginOf(phase: string, { seconds }: PageTrial): number {
  const last = seconds?.atSeconds.at(-1);
  return phase === 'measure' || last === undefined ? 0 : last + 1;
}

function changeRunning(state: PageState, change: (trial: PageTrial) => PageTrial): PageState {
  const running = runningTrial(state);
  if (running === undefined) return state;
  return { ...state, trials: state.trials.map((trial) => (trial === running ? change(trial) : trial)) };
}

function withSecond(trial: PageTrial, second: PageSecond, readings: readonly PageReading[]): PageTrial {
  const { atSeconds } = second;
  const seconds = trial.seconds ?? emptySeconds();
  return {
    ...trial,
    seconds: {
      atSeconds: added(seconds.atSeconds, atSeconds),
      deliveries: added(seconds.deliveries, second.deliveries),
      p50: added(seconds.p50, second.deliveryLatencyMsP50),
      p99: added(seconds.p99, second.deliveryLatencyMsP99),
      max: added(seconds.max, second.deliveryLatencyMsMax),
      counts: added(seconds.counts, second.deliveryLatencyCounts),
      simulatorCores: added(seconds.simulatorCores, second.instrumentCpuCores),
    },
    nodes: readings.map((reading) => {
      const node = trial.nodes.find(({ name }) => name === reading.name);
      return {
        name: reading.name,
        atSeconds: added(node?.atSeconds ?? [], atSeconds),
        cpuCores: added(node?.cpuCores ?? [], reading.cpuCores),
        rssBytes: added(node?.rssBytes ?? [], reading.rssBytes),
        throttledShare: added(node?.throttledShare ?? [], reading.throttledShare),
      };
    }),
  };
}

function added<Value>(values: readonly Value[], value: Value): Value[] {
  return [...values.slice(-(secondsMax - 1)), value];
}

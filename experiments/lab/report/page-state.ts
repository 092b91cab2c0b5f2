/** The state of the page of a run, and of each of its trials. A function of the result files alone. */
import { limitMsOf, secondsOf } from '../../../loadtest/page/result-page.ts';
import type { PageEstimate, PageState, PageTrial } from '../../../loadtest/page/state.ts';
import { isOfSearch, judgedOf } from '../analysis/finding.ts';
import { type LoadRange, posteriorOf, thresholdOf, triedRange } from '../analysis/threshold.ts';
import type { LoadRunRecord, Run, RunRecord, TrialHeader, TrialRecord } from '../records/schema.ts';
import type { SoakSeries } from '../records/soak-schema.ts';
import { formatNumber } from './format.ts';
import { cssColours } from './palette.ts';

/** What the page needs to know of a run before its first trial. */
export type PageRun = {
  title: string;
  question: string;
  limits: readonly string[];
  /** Null where trials have no load. */
  unit: string | null;
  /** The loads that a search may try; null where no capacity is searched. */
  range: LoadRange | null;
  variants: readonly { name: string; stage: string }[];
};

/** The state of a finished run, or of one that was interrupted. */
export function pageStateOf(run: Run): PageState {
  const about = pageRunOf(run.record, run.record.variants);
  const trials = run.trials.map((trial, index) => pageTrial(trial, run.trials.slice(0, index + 1), about));
  return { ...newPageState(about), trials, isEnded: true };
}

/** The same from the fields of a record; `variants` may be those that are planned. */
export function pageRunOf(record: RunRecord, variants: PageRun['variants']): PageRun {
  const { varied, method } = record as Partial<LoadRunRecord>;
  return {
    title: `${record.experiment} · ${record.run}`,
    question: record.question,
    limits: record.limits,
    unit: varied?.unit ?? null,
    range: method?.kind === 'capacity' ? method : null,
    variants,
  };
}

/** The state before the first trial. */
export function newPageState({ title, question, limits, unit, variants }: PageRun): PageState {
  const colours = cssColours(variants.map(({ stage }) => stage));
  return {
    title,
    question,
    unit: unit ?? '',
    limitMs: limitMsOf(limits),
    variants: variants.map(({ name, stage }) => ({ name, colour: colours.get(stage)! })),
    trials: [],
    clock: null,
    isEnded: false,
  };
}

/** A trial that has ended; `known`: all trials until then, itself included. */
export function pageTrial(trial: TrialHeader, known: readonly TrialHeader[], run: PageRun): PageTrial {
  const { number, variant, purpose, outcome, reasons } = trial;
  const { load, loadtest, nodes = [], phases = [], soak } = trial as Partial<TrialRecord>;
  const result = loadtest ?? null;
  return {
    ...{ number, variant, purpose, outcome, reasons, phases },
    load: load ?? null,
    about: aboutOf(trial, run),
    p99Ms: result?.deliveryLatencyMs.p99 ?? null,
    deliveriesPerSecond: result?.deliveriesPerSecond ?? null,
    estimate: run.range === null ? null : estimateOf(variant, known as readonly TrialRecord[], run.range),
    seconds: soak ? windowsOf(soak) : result === null ? null : secondsOf(result.series),
    nodes: soak ? partsOf(soak) : nodes,
  };
}

/** The load with its unit, or what was done. */
function aboutOf(trial: TrialHeader, { unit }: PageRun): string {
  const { load } = trial as Partial<TrialRecord>;
  if (load !== undefined) return `${formatNumber(load)} ${unit ?? ''}`.trim();
  return (trial as { scenario?: string }).scenario ?? trial.purpose;
}

/** As the search knows it after these trials; null until one has passed. */
function estimateOf(variant: string, known: readonly TrialRecord[], range: LoadRange): PageEstimate | null {
  const judged = judgedOf(known.filter((trial) => trial.variant === variant && isOfSearch(trial)));
  if (!judged.some(({ passed }) => passed)) return null;
  return thresholdOf(posteriorOf(judged, triedRange(judged, range))).capacity;
}

/** A long trial keeps windows in place of its seconds, and no deliveries. */
function windowsOf({ atSeconds, latencyMsP50, latencyMsP99 }: SoakSeries): PageTrial['seconds'] {
  const known = (values: readonly (number | null)[]) => values.map((value) => value ?? 0);
  const [p50, p99] = [known(latencyMsP50), known(latencyMsP99)];
  return { atSeconds, p50, p99, max: p99, deliveries: [], counts: [], simulatorCores: [] };
}

function partsOf({ atSeconds, rssBytes, heapBytes }: SoakSeries): PageTrial['nodes'] {
  const none = atSeconds.map(() => null);
  return [
    { name: 'all nodes', atSeconds, cpuCores: none, rssBytes, throttledShare: none },
    { name: 'heap', atSeconds, cpuCores: none, rssBytes: heapBytes, throttledShare: none },
  ];
}

/** The shape of a suite: hostile clients and failing parts, what each gets, and what others may feel. */
import { type Comparison, compareFailures } from '../../analysis/compare.ts';
import { allocate } from '../../deployment/allocation.ts';
import { isPerCore, type StageInfo } from '../../deployment/list-stages.ts';
import { InputError } from '../../input-error.ts';
import type { Variant } from '../../trial/variant.ts';
import { chooseVariants, type RunOptions, refuseWorkload } from '../run-plan.ts';
import type { Experiment, OngoingRun, Shape } from '../shape.ts';
import { act } from './act.ts';
import { runFailure } from './fail.ts';
import { failures, type HardFailure } from './failures.ts';
import { families } from './families/families.ts';
import type { Scenario } from './families/scenario.ts';
import { Ground, hostileSettings, margins, neighbourLoad } from './ground.ts';
import type { ScenarioRun, ScenarioTrial } from './record.ts';
import { reportScenarios } from './report.ts';
import { deployedTarget, givenTarget } from './targets.ts';

export type ScenarioExperiment = Experiment & {
  /** Of the server: CPU and memory of each node. */
  box: { serverCpus: number; serverMemoryMb: number };
};

const limits = [
  'lost=0',
  'duplicated=0',
  'reordered=0',
  'misrouted=0',
  'corrupted=0',
  'closed=0',
  'crosses<1s',
];
const givenName = 'given';

type Chosen = { clients: (Scenario & { family: string })[]; failures: HardFailure[] };

export const scenarios: Shape<ScenarioExperiment, ScenarioRun> = {
  name: 'scenarios',
  takes: ['scenario', 'url'],
  plan: (experiment, stages, options) => {
    const mistakes = refuseWorkload(options.workload, () => `${experiment.name} has neighbours of its own`);
    if (options.loads !== undefined)
      mistakes.push(`Leave out --loads: ${experiment.name} tries offences, and not loads.`);
    const chosen = chosenOf(options.scenarios ?? [], mistakes);
    const url = options.url ?? null;
    const variants =
      url === null ? variantsOf(experiment, stages, options, mistakes) : [given(url, options, mistakes)];
    if (mistakes.length > 0) throw new InputError(mistakes);
    const repetitions = options.trials ?? 1;
    const trialsOf = ({ stage }: Variant) => chosenFor(stage, chosen, url).length;
    return {
      shape: scenarios.name,
      variants,
      limits,
      usesSimulator: true,
      fields: { workload: { ...neighbourLoad, repetitions }, margins, url },
      estimate: {
        trials: variants.reduce((sum, variant) => sum + trialsOf(variant), 0) * repetitions,
        secondsPerTrial: 3.5,
      },
      trialLine: (trial) => lineOf(trial as ScenarioTrial),
      runVariant: async (variant, run) => {
        for (let repetition = 0; repetition < repetitions; repetition++) {
          await runClients(variant, chosenFor(variant.stage, { ...chosen, failures: [] }, url), url, run);
          for (const failure of url === null ? chosen.failures.filter(applies(variant.stage)) : [])
            run.add(await runFailure(variant, failure, run));
        }
        return {};
      },
    };
  },
  report: reportScenarios,
  plots: async (run) => (await import('./plots.ts')).plotsOfScenarios(run),
  compare: compareScenarios,
  // Every figure is in the record itself: there are no series.
  drawn: () => new Set(),
};

const applies = (stage: StageInfo) => (one: { appliesTo?(stage: StageInfo): boolean }) =>
  one.appliesTo?.(stage) ?? true;

function chosenFor(stage: StageInfo, { clients, failures: parts }: Chosen, url: string | null) {
  const known = clients.filter((one) => (url === null ? applies(stage)(one) : one.appliesTo === undefined));
  return [...known, ...(url === null ? parts.filter(applies(stage)) : [])] as Chosen['clients'];
}

/** Those whose name contains one of the texts; all without a text. */
function chosenOf(texts: readonly string[], mistakes: string[]): Chosen {
  const isChosen = ({ name }: { name: string }) =>
    texts.length === 0 || texts.some((text) => name.toLowerCase().includes(text.toLowerCase()));
  const clients = Object.entries(families).flatMap(([family, all]) => all.map((one) => ({ ...one, family })));
  const chosen = { clients: clients.filter(isChosen), failures: failures.filter(isChosen) };
  if (chosen.clients.length + chosen.failures.length === 0) {
    const names = [...new Set([...clients, ...failures].map(({ name }) => name))].join('; ');
    mistakes.push(
      `Name a scenario by a part of its name: required one of: ${names}; given ${texts.join(', ')}.`,
    );
  }
  return chosen;
}

/** Every stage that bounds what a client may cost; 01-naive bounds nothing, on purpose. */
function variantsOf(
  { name, box }: ScenarioExperiment,
  stages: readonly StageInfo[],
  options: RunOptions,
  mistakes: string[],
): Variant[] {
  const bounded = stages.filter((stage) => Object.values(stage.limits).some((limit) => limit !== null));
  const all = bounded.map((stage) => ({
    name: stage.name,
    stage,
    nodes: 1,
    settings: { ...hostileSettings, ...(isPerCore(stage) ? { workers: '2' } : {}) },
    allocation: { ...allocate(box.serverCpus), serverMemoryMb: box.serverMemoryMb },
  }));
  return chooseVariants(name, all, stages, options, mistakes);
}

function given(url: string, { stages, settings, allocation }: RunOptions, mistakes: string[]): Variant {
  const set = [
    ...stages,
    ...Object.keys(settings),
    ...Object.values(allocation).filter((one) => one !== undefined),
  ];
  if (set.length > 0)
    mistakes.push('Leave out --stage, --set and limits with --url: that server is not the lab’s.');
  const stage: StageInfo = {
    name: givenName,
    summary: `the server at ${url}`,
    ...{ processes: [], services: [], limits: {}, order: 'per sender', delivery: 'at most once' },
  };
  return { name: givenName, stage, nodes: 1, settings: {}, allocation: {} };
}

/** One after the other on one server, which is started anew after a scenario that was no pass. */
async function runClients(
  variant: Variant,
  chosen: Chosen['clients'],
  url: string | null,
  run: OngoingRun,
): Promise<void> {
  let ground: Ground | null = null;
  try {
    for (const scenario of chosen) {
      const number = run.nextNumber();
      const seed = run.seed * 1000 + number;
      const title = {
        number,
        variant: variant.name,
        stage: variant.stage.name,
        purpose: 'scenario' as const,
      };
      const startedAt = new Date().toISOString();
      const enter = (phase: string) => run.observer.phase(phase, { ...title, about: scenario.name });
      enter('start');
      ground ??= await openGround(variant, url, run);
      enter('measure');
      const [outcome] = await act(ground, [scenario], { seed, foreign: url !== null, signal: run.signal });
      const { facts } = ground.target;
      run.add({
        ...title,
        ...outcome!,
        family: scenario.family,
        about: '',
        seed,
        startedAt,
        facts,
      } as ScenarioTrial);
      if (outcome!.outcome === 'pass') continue;
      await ground[Symbol.asyncDispose]();
      ground = null;
    }
  } finally {
    await ground?.[Symbol.asyncDispose]();
  }
}

/** Starts the server of a variant, or takes the given one, with its neighbours. */
export async function openGround(
  { stage, settings, nodes, allocation }: Variant,
  url: string | null,
  run: Pick<OngoingRun, 'deploy' | 'signal' | 'observer' | 'seed'>,
): Promise<Ground> {
  const { signal, observer } = run;
  const target =
    url === null
      ? deployedTarget(await run.deploy({ stage, settings, nodes, allocation }))
      : givenTarget(url);
  const watch = {
    signal,
    onScrapeAddress: () => {},
    onProgress: (progress: Parameters<typeof observer.second>[0] | { event: 'phase' }) =>
      progress.event === 'second' ? observer.second(progress) : undefined,
  };
  return Ground.open(target, stage.order === 'one for all' ? 'one-for-all' : 'per-sender', run.seed, watch);
}

/** One row for each stage that both runs have: its scenarios that failed. */
function compareScenarios(a: ScenarioRun, b: ScenarioRun): Comparison[] {
  return a.record.variants.flatMap(({ name }) => {
    const [ofA, ofB] = [a, b].map(({ trials }) => trials.filter(({ variant }) => variant === name));
    return ofA!.length === 0 || ofB!.length === 0 ? [] : compareFailures(name, ofA!, ofB!);
  });
}

function lineOf({ variant, number, outcome, scenario, neighbours, reasons }: ScenarioTrial): string {
  const p99 = neighbours.p99Ms === null ? '' : `  neighbours' p99 ${Math.round(neighbours.p99Ms)} ms`;
  const why = reasons.length === 0 ? '' : `  ${reasons.join('; ')}`;
  return `${variant}  ${String(number).padStart(3)}  ${outcome.padEnd(4)}  ${scenario}${p99}${why}`;
}

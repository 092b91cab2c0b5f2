/**
 * The shape of a question that clients of the lab answer: they do something to a deployment, and return with
 * figures. For what the simulator does not do.
 */
import { type Comparison, compareFailures, compareSpread } from '../../analysis/compare.ts';
import type { Deployment } from '../../deployment/deployment.ts';
import type { StageInfo } from '../../deployment/list-stages.ts';
import type { Variant } from '../../trial/variant.ts';
import { chooseVariants, refuseWorkload } from '../run-plan.ts';
import type { Experiment, OngoingRun, Shape } from '../shape.ts';
import type { FigureDefinition, FigureRun, FigureTrial } from './record.ts';
import { figureText, reportFigures } from './report.ts';

export type Figures = Readonly<Record<string, number | null>>;

/** What a trial may use. */
export type FigureContext = {
  deployment: Deployment;
  signal: AbortSignal;
  seed: number;
  /** Begins the next phase of the trial; shown while it runs. */
  enter(phase: 'connect' | 'warm-up' | 'measure' | 'drain'): void;
};

/** The highest value of a figure at which a trial passes. `of`: whom it holds for, where not for all. */
export type FigureLimit = { figure: string; max: number; of?: string };

export type FigureVariant = Variant & {
  /** Flags of the media server of the stage; left out: none is started. */
  media?: Readonly<Record<string, string>>;
  limits: readonly FigureLimit[];
  /** Where it is drawn, along the quantity `across` of the experiment. */
  place?: { family: string; value: number };
  /** Rejects where the deployment does not let it come to an end. */
  measure(context: FigureContext): Promise<Figures>;
};

export type FigureExperiment = Experiment & {
  figures: readonly FigureDefinition[];
  /** What a trial does, a sentence each. */
  procedure: readonly string[];
  /** The quantity along which variants are drawn, where they have a place. */
  across?: string;
  repetitions: number;
  /** First guess, without the start of the deployment. */
  secondsPerTrial: number;
  variants(stages: readonly StageInfo[]): FigureVariant[];
};

export const figures: Shape<FigureExperiment, FigureRun> = {
  name: 'figures',
  plan: (experiment, stages, options) => {
    const { name, procedure, secondsPerTrial, across } = experiment;
    const mistakes = refuseWorkload(options.workload, () => `${name} has clients of its own`);
    if (options.loads !== undefined) mistakes.push(`Leave out --loads: ${name} has no loads to choose.`);
    const all = experiment.variants(stages);
    const variants = chooseVariants(name, all, stages, options, mistakes) as FigureVariant[];
    const repetitions = options.trials ?? experiment.repetitions;
    const places = Object.fromEntries(
      variants.flatMap((variant) => (variant.place === undefined ? [] : [[variant.name, variant.place]])),
    );
    return {
      shape: figures.name,
      variants,
      limits: [...new Set(variants.flatMap(({ limits }) => limits.map(limitText)))],
      usesSimulator: false,
      fields: {
        figures: experiment.figures,
        repetitions,
        procedure,
        ...(across !== undefined && { across: { name: across, places } }),
      },
      estimate: { trials: variants.length * repetitions, secondsPerTrial },
      trialLine: (trial) => trialLine(trial as FigureTrial, experiment.figures),
      runVariant: async (variant, run) => {
        for (let repetition = 0; repetition < repetitions; repetition++)
          run.add(await runFigureTrial(variant as FigureVariant, run));
        return {};
      },
    };
  },
  report: reportFigures,
  plots: async (run) => (await import('./plots.ts')).plotsOfFigures(run),
  compare: compareFigures,
  // Every figure is in the record itself: there are no series.
  drawn: () => new Set(),
};

/** Variants of every stage that is asked, named with their stage where there are several. */
export function variantsOfStages<Asked>(
  stages: readonly StageInfo[],
  asked: readonly Asked[],
  variantOf: (stage: StageInfo, one: Asked) => FigureVariant,
): FigureVariant[] {
  return stages.flatMap((stage) =>
    asked.map((one) => {
      const variant = variantOf(stage, one);
      return stages.length === 1 ? variant : { ...variant, name: `${variant.name} (${stage.name})` };
    }),
  );
}

/** One trial on a deployment of its own. */
export async function runFigureTrial(
  variant: FigureVariant,
  run: Pick<OngoingRun, 'deploy' | 'signal' | 'observer' | 'seed' | 'nextNumber'>,
): Promise<FigureTrial> {
  const { signal, observer } = run;
  const { stage, settings, nodes, allocation, media, persistence = 'none' } = variant;
  const number = run.nextNumber();
  const labels = { number, variant: variant.name, stage: stage.name, purpose: 'figures' as const };
  const startedAt = new Date().toISOString();
  const enter = (phase: string) => observer.phase(phase, { ...labels, about: '' });
  enter('start');
  const request = { stage, settings, nodes, allocation, persistence, ...(media && { media }) };
  await using deployment = await run.deploy(request);
  observer.started(deployment, null);
  const seed = run.seed * 1000 + number;
  const found = await variant.measure({ deployment, signal, seed, enter });
  enter('stop');
  const reasons = variant.limits.flatMap((limit) => brokenBy(found, limit));
  const outcome = reasons.length === 0 ? 'pass' : 'fail';
  return { ...labels, outcome, reasons, seed, startedAt, facts: deployment.facts, figures: found };
}

/** A figure that is not known breaks its limit: the trial did not come so far. */
function brokenBy(found: Figures, limit: FigureLimit): string[] {
  const value = found[limit.figure] ?? null;
  if (value !== null && value <= limit.max) return [];
  return [`${limit.figure} was ${value === null ? 'not known' : value}; the limit is ${limit.max}`];
}

function limitText({ figure, max, of }: FigureLimit): string {
  return `${figure}<=${max}${of === undefined ? '' : ` (${of})`}`;
}

function trialLine(trial: FigureTrial, definitions: readonly FigureDefinition[]): string {
  const cells = definitions
    .filter(({ isDetail = false }) => !isDetail)
    .map((definition) => `${definition.title} ${figureText(definition, trial.figures[definition.key])}`);
  const head = `${trial.variant}  trial ${String(trial.number).padStart(2)}  ${trial.outcome.padEnd(4)}`;
  return [head, ...cells].join('  ');
}

/** A row for the failed trials of each variant, and for each figure that is compared. */
function compareFigures(runA: FigureRun, runB: FigureRun): Comparison[] {
  return runA.record.variants.flatMap(({ name: variant }) => {
    const trialsOf = ({ trials }: FigureRun) => trials.filter((trial) => trial.variant === variant);
    const [a, b] = [trialsOf(runA), trialsOf(runB)];
    if (a.length === 0 || b.length === 0) return [];
    const compared = runA.record.figures.flatMap(({ key, title: metric, kind, good }) => {
      if (good === undefined) return [];
      const unit = kind === 'ms' ? ('ms' as const) : ('number' as const);
      return [compareSpread({ variant, metric, unit }, good, a, b, (trial) => trial.figures[key])];
    });
    return [compareFailures(variant, a, b), ...compared];
  });
}

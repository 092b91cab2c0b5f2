/** Shared by the shapes whose trials each have one load: parameters, trials, and the options of `run`. */
import type { Workload } from '../../../loadtest/workload.ts';
import { shownTrials } from '../analysis/finding.ts';
import type { StageInfo } from '../deployment/list-stages.ts';
import type {
  LoadRun,
  LoadRunRecord,
  RunRecord,
  Timing,
  TrialHeader,
  TrialRecord,
  Varied,
} from '../records/schema.ts';
import { formatNumber } from '../report/format.ts';
import { trialLine } from '../report/trial-line.ts';
import type { TrialSession } from '../trial/session.ts';
import type { TrialRequest } from '../trial/trial.ts';
import type { Variant } from '../trial/variant.ts';
import { chooseVariants, type RunOptions, refuseWorkload } from './run-plan.ts';
import type { Experiment, OngoingRun } from './shape.ts';

export type LoadExperiment = Experiment & {
  varied: Varied;
  /** Conditions for a pass, in the syntax of the simulator, e.g. `p99<250ms`. */
  limits: readonly string[];
  /**
   * Where the simulator may send late without harm to the answer: the p99 of its schedule lag above which a
   * trial is void. Left out: its own default.
   */
  lagLimitMs?: number;
  timing: Timing;
  workloadAt(load: number): Partial<Workload>;
  variants(stages: readonly StageInfo[]): Variant[];
};

/** The same in every trial of a run. */
export type LoadSetting = Pick<LoadExperiment, 'varied' | 'limits' | 'lagLimitMs' | 'timing' | 'workloadAt'>;

/** The parts of a shape that all of these have. */
export const loadShape = {
  plots: async (run: LoadRun) => (await import('../report/plots.ts')).plotsOf(run),
  drawn: (run: LoadRun) => new Set(shownTrials(run).map(({ trial }) => trial.number)),
};

/** The limits of a chat that delivers everything once, in order and intact. */
export const exactDelivery = ['lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'];

/** A plan without its choice of loads, which is the shape's own, and the setting of its trials. */
export function planLoads(
  experiment: LoadExperiment,
  stages: readonly StageInfo[],
  options: RunOptions,
  method: LoadRunRecord['method'],
) {
  const all = experiment.variants(stages);
  const mistakes = refuseWorkload(options.workload, (quantity) => refusalOf(quantity, experiment, all));
  const variants = chooseVariants(experiment.name, all, stages, options, mistakes);
  const { warmUpSeconds, durationSeconds, drainSeconds, ...quantities } = options.workload;
  const timing = {
    warmUpSeconds: warmUpSeconds ?? experiment.timing.warmUpSeconds,
    measureSeconds: durationSeconds ?? experiment.timing.measureSeconds,
    drainSeconds: drainSeconds ?? experiment.timing.drainSeconds,
  };
  const workloadAt = (load: number) => ({ ...experiment.workloadAt(load), ...quantities });
  const { varied, limits, lagLimitMs } = experiment;
  const fields: Omit<LoadRunRecord, keyof RunRecord> = { varied, method, timing, workload: workloadAt(1) };
  return {
    variants,
    limits,
    fields,
    usesSimulator: true,
    trialLine: (trial: TrialHeader) => trialLine(trial as TrialRecord, varied.unit),
    setting: { varied, limits, timing, workloadAt, ...(lagLimitMs !== undefined && { lagLimitMs }) },
    secondsPerTrial: timing.warmUpSeconds + timing.measureSeconds,
  };
}

/** What a trial has beside its load. */
export type TrialExtras = Pick<
  TrialRequest,
  'isLast' | 'share' | 'serverStart' | 'freeze' | 'resize' | 'withoutQuota'
> & {
  purpose: TrialRecord['purpose'];
  timing?: Timing;
  /** Replaces quantities of the workload. */
  workload?: Partial<Workload>;
  /** The highest load that is expected on the same connections. */
  highest?: number;
  /** Waits after an overload until the server has recovered. */
  recover?: boolean;
};

/** Runs one trial of a variant in its session, and adds it to the run. */
export async function runAtLoad(
  { varied, limits, lagLimitMs, timing, workloadAt }: LoadSetting,
  { setup: variant, session }: { setup: Variant; session: TrialSession },
  run: OngoingRun,
  load: number,
  { recover = false, highest, workload, ...extras }: TrialExtras,
): Promise<TrialRecord> {
  const number = run.nextNumber();
  const asked = { ...workloadAt(load), ...variant.workload, ...workload };
  const order = variant.stage.order === 'one for all' ? 'one-for-all' : 'per-sender';
  const request: TrialRequest = {
    number,
    variant: variant.name,
    stage: variant.stage.name,
    about: `${formatNumber(load)} ${varied.unit}`,
    load,
    seed: run.seed * 1000 + number,
    timing,
    limits,
    ...(lagLimitMs !== undefined && { lagLimitMs }),
    ...extras,
    ...(highest !== undefined && { rateMax: workloadAt(highest).ratePerSecond }),
    // The order is that of rooms: what people write to each other is ordered in their mailboxes.
    workload: asked.people ? asked : { order, ...asked },
  };
  const trial = await session.run(request);
  if (recover && leavesBacklog(trial)) trial.recoverySeconds = await session.recover(request);
  run.add(trial);
  return trial;
}

/** Something was outstanding when the drain ended, or the server has closed sessions. */
function leavesBacklog({ loadtest, outcome }: TrialRecord): boolean {
  if (loadtest === null || outcome === 'interrupted') return false;
  return loadtest.recoveredSeconds === null || Object.keys(loadtest.connections.closedEarly).length > 0;
}

/** Why a quantity of the workload cannot be set from outside; null where it can. */
function refusalOf(
  quantity: keyof Workload,
  { name, varied, workloadAt }: LoadExperiment,
  variants: readonly Variant[],
): string | null {
  if (workloadAt(1)[quantity] !== workloadAt(2)[quantity])
    return `${name} varies it itself, as ${varied.quantity}; choose loads with --loads`;
  if (variants.some(({ workload }) => workload?.[quantity] !== undefined))
    return `${name} compares several values of it; choose among its variants`;
  return null;
}

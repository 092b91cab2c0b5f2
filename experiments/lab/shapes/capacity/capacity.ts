/** The shape of a capacity question: the load at which half of the trials of each variant hold the limits. */
import { trialsOfSearch } from '../../analysis/capacity-search.ts';
import { compareCapacities } from '../../analysis/compare.ts';
import type { CapacityMethod, LoadRun } from '../../records/schema.ts';
import { answerLine } from '../../report/trial-line.ts';
import { TrialSession } from '../../trial/session.ts';
import { planFixedLoads } from '../fixed-load/fixed-load.ts';
import {
  exactDelivery,
  type LoadExperiment,
  loadShape,
  planLoads,
  runAtLoad,
  type TrialExtras,
} from '../load-trials.ts';
import type { RunOptions } from '../run-plan.ts';
import type { Shape } from '../shape.ts';
import { curveTrials, runCurve } from './curve.ts';
import { findCapacity, warmUpTrials } from './find-capacity.ts';
import { quickened } from './quick.ts';
import { findingTable, reportCapacity } from './report.ts';
import { precisionIn, shareTime } from './time-shares.ts';

export type CapacityExperiment = LoadExperiment & {
  method: CapacityMethod;
  /**
   * Time for all searches together, where `--time` gives no other. A run of fewer variants is as much more
   * precise as that allows. Left out: none.
   */
  minutes?: number;
};

/** Where the time is what ends a search. */
const trialsInTimeMax = 1000;

export const capacity: Shape<CapacityExperiment, LoadRun> = {
  ...loadShape,
  name: 'capacity',
  takes: ['quick'],
  plan: (asked, stages, given) => {
    const { experiment, options } = quickened(asked, stages, given);
    const { loads, trials } = options;
    if (loads !== undefined) {
      const method = { kind: 'fixed', loads, repetitions: trials ?? 1, emphasis: 'held' } as const;
      return planFixedLoads(experiment, stages, options, method);
    }
    // A quick search is bounded by its trials; who asks for a precision wants it, whatever time it takes.
    const isTimed = options.quick !== true && options.precision === undefined;
    const ownMinutes = isTimed ? experiment.minutes : undefined;
    const { minutes = ownMinutes, curve = false } = options;
    const asking = planLoads(experiment, stages, options, experiment.method);
    const { setting, secondsPerTrial, fields, ...plan } = asking;
    const share = plan.variants.length / experiment.variants(stages).length;
    const method = {
      ...experiment.method,
      ...boundsOf(experiment.method, options, ownMinutes === undefined ? null : share),
    };
    const capacities: number[] = [];
    const time = shareTime(
      minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60,
      plan.variants.length,
    );
    const trialsPerVariant = warmUpTrials + trialsOfSearch(method) + (curve ? curveTrials : 0);
    return {
      ...plan,
      fields: { ...fields, method },
      shape: capacity.name,
      estimate: { trials: plan.variants.length * trialsPerVariant, secondsPerTrial },
      variantLine: (variant) => answerLine(variant, experiment.varied.unit),
      runVariant: async (variant, run) => {
        const { isTimeUp, ended } = time.begin(plan.variants.indexOf(variant));
        await using session = new TrialSession(variant, run);
        const start = capacities.at(-1) ?? method.start;
        const trial = (load: number, extras: TrialExtras) =>
          runAtLoad(setting, { setup: variant, session }, run, load, { recover: true, ...extras });
        const found = await findCapacity({ ...method, start }, trial, isTimeUp).finally(ended);
        const capacity = found.answer.threshold?.capacity.middle;
        if (capacity === undefined) return found;
        if (curve) await runCurve(capacity, capacities, trial);
        capacities.push(capacity);
        return found;
      },
    };
  },
  report: reportCapacity,
  finding: async (run) => ({
    table: findingTable(run),
    plot: (await import('../../report/plot-capacity.ts')).findingPlot(run),
  }),
  compare: compareCapacities,
};

/**
 * What ends a search beside the time. `share`: how many of all variants run, in the time in which all of them
 * come to the precision of the experiment; null where it has no time.
 */
function boundsOf(
  method: CapacityMethod,
  { trials, minutes, precision }: RunOptions,
  share: number | null,
): Pick<CapacityMethod, 'precision' | 'trialsMax'> {
  if (minutes !== undefined) return { precision: precision ?? 0, trialsMax: trials ?? trialsInTimeMax };
  if (share !== null)
    return { precision: precisionIn(method.precision, share), trialsMax: trials ?? trialsInTimeMax };
  const wanted = precision ?? method.precision;
  return { precision: wanted, trialsMax: trials ?? trialsFor(wanted, method) };
}

/** The bound on the trials of a search that is asked for another precision than usual. */
function trialsFor(wanted: number, { precision, trialsMax }: CapacityMethod): number {
  return Math.ceil(trialsMax * Math.max(1, (precision / wanted) ** 2));
}

/** A usual search. An experiment sets its start. */
export const search: Omit<CapacityMethod, 'start'> = {
  kind: 'capacity',
  loadMin: 1,
  loadMax: 200_000,
  precision: 0.15,
  trialsMax: 16,
};

/** The workload and limits of several experiments, so that their rows can be compared. */
export const thousandClients = {
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  shape: capacity,
  limits: ['p99<250ms', 'growth<50ms', ...exactDelivery],
  timing: { warmUpSeconds: 0.8, measureSeconds: 2, drainSeconds: 1 },
  workloadAt: (load: number) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
};

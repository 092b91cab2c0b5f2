/** The shape of a capacity question: the load at which half of the trials of each variant hold the limits. */
import { time } from '#host/units.ts';
import { trialsOfSearch } from '../../analysis/capacity-search.ts';
import { compareCapacities } from '../../analysis/compare.ts';
import { wholeLoad } from '../../analysis/threshold.ts';
import { InputError } from '../../input-error.ts';
import type { CapacityMethod, LoadRun } from '../../records/schema.ts';
import { answerLine } from '../../report/trial-line.ts';
import { TrialSession } from '../../trial/session.ts';
import type { Variant } from '../../trial/variant.ts';
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
import { findCapacity, startSecondsMin, warmUpTrials } from './find-capacity.ts';
import { quickened } from './quick.ts';
import { findingTable, reportCapacity } from './report.ts';
import { TimeShares } from './time-shares.ts';

export type CapacityExperiment = LoadExperiment & {
  method: CapacityMethod;
  /**
   * Time for all searches together, where `--time` gives no other: it is used up, so that fewer variants are
   * found more precisely. Left out: a search ends when it is precise.
   */
  minutes?: number;
};

type Found = { variant: Pick<Variant, 'scale'>; capacity: number };

/** Where the time is what ends a search. */
const trialsInTimeMax = 1000;

/**
 * Of the capacity of the variant before, where a variant is looked at first. At the whole of it half of the
 * first looks broke, so that the next one was an eighth of it, and the search began far from the edge.
 */
const startShare = 0.5;

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
    const ownMinutes = options.quick || options.precision !== undefined ? undefined : experiment.minutes;
    const { minutes = ownMinutes, curve = false } = options;
    const method = { ...experiment.method, ...boundsOf(experiment.method, options, minutes !== undefined) };
    const { setting, secondsPerTrial, ...plan } = planLoads(experiment, stages, options, method);
    if (minutes !== undefined) refuseShortTime(minutes * 60, plan.variants.length, options.sharedBy);
    const found: Found[] = [];
    const totalMs = minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000;
    const times = new TimeShares(totalMs, plan.variants.length);
    const searching =
      minutes === undefined
        ? plan.variants.length * (warmUpTrials + trialsOfSearch(method))
        : Math.ceil((minutes * 60) / secondsPerTrial);
    const trialsAfter = curve ? plan.variants.length * curveTrials : 0;
    return {
      ...plan,
      shape: capacity.name,
      estimate: { trials: searching + trialsAfter, secondsPerTrial },
      variantLine: (variant) => answerLine(variant, experiment.varied.unit),
      runVariant: async (variant, run) => {
        const deadlineMs = times.begin(performance.now());
        const secondsLeft = () => (deadlineMs - performance.now()) / 1000;
        await using session = new TrialSession(variant, run);
        const start = firstLoad(variant, found, method.start);
        const trial = (load: number, extras: TrialExtras) =>
          runAtLoad(setting, { setup: variant, session }, run, load, { recover: true, ...extras });
        const stop = () => session.close();
        const searched = await findCapacity({ ...method, start }, { trial, stop, secondsLeft });
        const capacity = searched.answer.threshold?.capacity.middle;
        if (capacity === undefined) return searched;
        if (curve) {
          const beganMs = performance.now();
          const before = found.map((one) => one.capacity);
          await runCurve(capacity, before, trial);
          times.exempt(performance.now() - beganMs);
        }
        found.push({ variant, capacity });
        return searched;
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

/** Throws an `InputError` where the time of some searches ends before they have judged a trial. */
export function refuseShortTime(seconds: number, searches: number, sharedBy = 1): void {
  const secondsMin = searches * startSecondsMin;
  if (seconds >= secondsMin) return;
  const required = time.format(Math.ceil((secondsMin * sharedBy) / 60) * 60_000);
  const given = time.format(Math.round(seconds * sharedBy * 1000));
  throw new InputError([
    `Give more time, or fewer stages: required at least ${required} for ${searches * sharedBy} searches; given ${given}.`,
  ]);
}

/**
 * A share of the capacity that was found last; of those with as many nodes or workers as this one, or fewer:
 * at half of what four nodes carry, a single one was overloaded so much that it told nothing.
 */
export function firstLoad({ scale }: Pick<Variant, 'scale'>, found: readonly Found[], start: number): number {
  const countMax = scale?.count ?? Number.POSITIVE_INFINITY;
  const before = found.findLast(({ variant }) => (variant.scale?.count ?? 0) <= countMax);
  return before === undefined ? start : wholeLoad(startShare * before.capacity);
}

/**
 * What ends a search. With a time it is that, and not an interval that looks narrow: a machine is faster for
 * half a minute and slower for the next, and trials of half a minute know nothing of that. Five searches for
 * the capacity of 03 that ended at ± 6 %, four of them after 60 to 100 s, differed by a factor of 1.17, and
 * two of the five intervals missed the capacity of all trials together.
 */
function boundsOf(
  method: CapacityMethod,
  { trials, precision }: RunOptions,
  isTimed: boolean,
): Pick<CapacityMethod, 'precision' | 'trialsMax'> {
  if (isTimed) return { precision: precision ?? 0, trialsMax: trials ?? trialsInTimeMax };
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

/**
 * The same for nodes in small boxes. There a round that writes to 1,000 clients takes 100 ms, so that the p99
 * lay close below 250 ms at any load, and a collection of garbage of 250 to 500 ms decided between pass and
 * fail: docs/decisions/021. With these, the p99 rises with the load.
 */
export const clientsOfSmallBoxes = {
  ...thousandClients,
  limits: ['p99<500ms', 'growth<100ms', ...exactDelivery],
  // A fifth of a core completes few handshakes per second, and the ramp is not the question.
  workloadAt: (load: number) => ({
    ...thousandClients.workloadAt(load),
    clients: 500,
    connectPerSecond: 200,
  }),
};

/** The shape of a capacity question: the load at which half of the trials of each variant hold the limits. */
import { boundOf } from '../../analysis/bottleneck.ts';
import { searchCapacity, trialsOfSearch } from '../../analysis/capacity-search.ts';
import { compareCapacities } from '../../analysis/compare.ts';
import { disturbanceOf } from '../../analysis/disturbance.ts';
import type { CapacityMethod, LoadRun, TrialRecord } from '../../records/schema.ts';
import { answerLine } from '../../report/trial-line.ts';
import { recoverySecondsMax, TrialSession } from '../../trial/session.ts';
import { planFixedLoads } from '../fixed-load/fixed-load.ts';
import {
  exactDelivery,
  type LoadExperiment,
  loadShape,
  planLoads,
  runAtLoad,
  type TrialExtras,
} from '../load-trials.ts';
import type { Shape } from '../shape.ts';
import { curveTrials, runCurve } from './curve.ts';
import { findingTable, reportCapacity } from './report.ts';
import { warmUp } from './warm-up.ts';

export type CapacityExperiment = LoadExperiment & { method: CapacityMethod };

/** Repetitions of a trial that something else disturbed. Chosen, not measured. */
const repetitionsMax = 3;
/** How far above its start the look for the edge usually goes; the simulator is sized for it. */
const scoutReach = 64;
/** Short trials say where the edge is only about so well. Chosen, not measured. */
const priorFactor = 2;
/** Where the time is what ends a search. */
const trialsInTimeMax = 1000;
/** Of a variant, usually: for the first estimate of the duration. */
const warmUpTrials = 6;

export const capacity: Shape<CapacityExperiment, LoadRun> = {
  ...loadShape,
  name: 'capacity',
  plan: (experiment, stages, options) => {
    const { loads, trials } = options;
    if (loads !== undefined) {
      const method = { kind: 'fixed', loads, repetitions: trials ?? 1, emphasis: 'held' } as const;
      return planFixedLoads(experiment, stages, options, method);
    }
    const { precision = experiment.method.precision } = options;
    const { minutes, curve = false } = options;
    const bounds =
      minutes === undefined
        ? { precision, trialsMax: trials ?? experiment.method.trialsMax }
        : { precision: options.precision ?? 0, trialsMax: trials ?? trialsInTimeMax };
    const method = { ...experiment.method, ...bounds };
    const { setting, secondsPerTrial, ...plan } = planLoads(experiment, stages, options, method);
    const capacities: number[] = [];
    const secondsPerVariant =
      minutes === undefined ? Number.POSITIVE_INFINITY : (minutes * 60) / plan.variants.length;
    const trialsPerVariant = warmUpTrials + trialsOfSearch(method) + (curve ? curveTrials : 0);
    return {
      ...plan,
      shape: capacity.name,
      estimate: { trials: plan.variants.length * trialsPerVariant, secondsPerTrial },
      variantLine: (variant) => answerLine(variant, experiment.varied.unit),
      runVariant: async (variant, run) => {
        const deadlineMs = performance.now() + secondsPerVariant * 1000;
        const isTimeUp = () => performance.now() > deadlineMs;
        await using session = new TrialSession(variant, run);
        const start = capacities.at(-1) ?? method.start;
        const rateAt = (load: number) =>
          setting.workloadAt(Math.min(load, method.loadMax)).ratePerSecond ?? load;
        let rateMax = rateAt(start * scoutReach);
        const trial = (load: number, extras: TrialExtras) =>
          runAtLoad(setting, { setup: variant, session }, run, load, { rateMax, recover: true, ...extras });
        const { held, broke } = await warmUp({ ...method, start }, (load, timing) =>
          trial(load, { purpose: 'warm-up', timing }),
        );
        const first = held ?? method.loadMin;
        const prior = { loadMin: first / priorFactor, loadMax: (broke ?? method.loadMax) * priorFactor };
        rateMax = rateAt((broke ?? first) * priorFactor);
        const trials: TrialRecord[] = [];
        const answer = await searchCapacity(
          { ...method, start: broke === null ? first : Math.sqrt(first * broke) },
          async (load) => {
            let one = await trial(load, { purpose: 'search' });
            for (let again = 0; again < repetitionsMax && isDisturbed(one); again++)
              one = await trial(load, { purpose: 'search' });
            trials.push(one);
            // The run throws where a trial was interrupted.
            return one.outcome as Exclude<TrialRecord['outcome'], 'interrupted'>;
          },
          { prior, isTimeUp },
        );
        const found = answer.threshold?.capacity.middle;
        if (found !== undefined && curve) await runCurve(found, capacities, trial);
        if (found !== undefined) capacities.push(found);
        const metastable = trials.flatMap(({ load, recoverySeconds }) =>
          recoverySeconds === null ? [{ load, seconds: recoverySecondsMax }] : [],
        );
        return { answer: { ...answer, metastable }, bound: boundOf(answer, trials) };
      },
    };
  },
  report: reportCapacity,
  finding: findingTable,
  compare: compareCapacities,
};

/** Void because of something else on the machine: that says nothing about this load. */
function isDisturbed({ server }: TrialRecord): boolean {
  return server !== null && disturbanceOf(server) !== null;
}

/** A usual search. An experiment sets its start. */
export const search: Omit<CapacityMethod, 'start'> = {
  kind: 'capacity',
  loadMin: 1,
  loadMax: 200_000,
  precision: 0.15,
  trialsMax: 20,
};

/** The workload and limits of several experiments, so that their rows can be compared. */
export const thousandClients = {
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  shape: capacity,
  limits: ['p99<250ms', 'growth<50ms', ...exactDelivery],
  timing: { warmUpSeconds: 0.5, measureSeconds: 3, drainSeconds: 1 },
  workloadAt: (load: number) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
};

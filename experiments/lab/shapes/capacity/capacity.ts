/** The shape of a capacity question: the load at which half of the trials of each variant hold the limits. */
import { boundOf } from '../../analysis/bottleneck.ts';
import { searchCapacity, trialsOfSearch } from '../../analysis/capacity-search.ts';
import { compareCapacities } from '../../analysis/compare.ts';
import type { CapacityMethod, LoadRun, TrialRecord } from '../../records/schema.ts';
import { answerLine } from '../../report/trial-line.ts';
import { planFixedLoads } from '../fixed-load/fixed-load.ts';
import { exactDelivery, type LoadExperiment, loadShape, planLoads, runAtLoad } from '../load-trials.ts';
import type { Shape } from '../shape.ts';
import { findingTable, reportCapacity } from './report.ts';

export type CapacityExperiment = LoadExperiment & { method: CapacityMethod };

/** CPU of other processes that disturbs a trial, and repetitions of such a trial. Chosen, not measured. */
const disturbingCores = 0.1;
const repetitionsMax = 3;

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
    const method = { ...experiment.method, precision, trialsMax: trials ?? experiment.method.trialsMax };
    const { setting, secondsPerTrial, ...plan } = planLoads(experiment, stages, options, method);
    let start = method.start;
    return {
      ...plan,
      shape: capacity.name,
      estimate: { trials: plan.variants.length * trialsOfSearch(method), secondsPerTrial },
      variantLine: (variant) => answerLine(variant, experiment.varied.unit),
      runVariant: async (variant, run) => {
        const trials: TrialRecord[] = [];
        const answer = await searchCapacity({ ...method, start }, async (load) => {
          let trial = await runAtLoad(setting, variant, run, load, 'search');
          for (let again = 0; again < repetitionsMax && isDisturbed(trial); again++)
            trial = await runAtLoad(setting, variant, run, load, 'search');
          trials.push(trial);
          // The run throws where a trial was interrupted.
          return trial.outcome as Exclude<TrialRecord['outcome'], 'interrupted'>;
        });
        start = answer.threshold?.capacity.middle ?? start;
        return { answer, bound: boundOf(answer, trials) };
      },
    };
  },
  report: reportCapacity,
  finding: findingTable,
  compare: compareCapacities,
};

/** Void because of other processes: that says nothing about this load, and the trial is repeated. */
function isDisturbed({ outcome, server }: TrialRecord): boolean {
  return outcome === 'void' && (server?.otherCpuCores ?? 0) > disturbingCores;
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
  limits: ['p99<250ms', ...exactDelivery],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 1 },
  workloadAt: (load: number) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
};

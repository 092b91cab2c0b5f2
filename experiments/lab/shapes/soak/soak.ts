/** The shape of a question about time: is a server the same after minutes at a share of its capacity? */
import { parseLimit } from '../../../../loadtest/result/limits.ts';
import { trialsOfSearch } from '../../analysis/capacity-search.ts';
import { condense } from '../../analysis/soak-series.ts';
import type { CapacityMethod, LoadRun, TrialRecord } from '../../records/schema.ts';
import type { SoakMethod } from '../../records/soak-schema.ts';
import { answerLine } from '../../report/trial-line.ts';
import { TrialSession } from '../../trial/session.ts';
import { findCapacity, warmUpTrials } from '../capacity/find-capacity.ts';
import { type LoadExperiment, planLoads, runAtLoad, type TrialExtras } from '../load-trials.ts';
import type { Shape } from '../shape.ts';
import { compareSoaks, reportSoak } from './report.ts';

export type SoakExperiment = LoadExperiment & {
  /** Of the search that finds the capacity first. */
  search: CapacityMethod;
  method: SoakMethod;
};

/** From the long trials on: what it takes to come to the rate, and to see duplicates. */
const longWarmUpSeconds = 5;

export const soak: Shape<SoakExperiment, LoadRun> = {
  name: 'soak',
  plan: (experiment, stages, options) => {
    const { trials, precision, minutes = experiment.method.minutes, loads = [] } = options;
    const { search: usual, method: asked } = experiment;
    const shares = loads.length > 0 ? [] : asked.shares;
    const method: SoakMethod = { kind: 'soak', minutes, shares, loads };
    const search = {
      ...usual,
      trialsMax: trials ?? usual.trialsMax,
      precision: precision ?? usual.precision,
    };
    const { setting, secondsPerTrial, ...plan } = planLoads(experiment, stages, options, method);
    const limitMs = p99LimitMs(plan.limits);
    const timing = { ...setting.timing, warmUpSeconds: longWarmUpSeconds, measureSeconds: minutes * 60 };
    const searched = shares.length === 0 ? 0 : warmUpTrials + trialsOfSearch(search);
    const long = shares.length + loads.length;
    const secondsPerVariant =
      searched * secondsPerTrial + long * (timing.warmUpSeconds + timing.measureSeconds);
    return {
      ...plan,
      shape: soak.name,
      estimate: {
        trials: plan.variants.length * (searched + long),
        secondsPerTrial: secondsPerVariant / (searched + long),
      },
      variantLine: (variant) => answerLine(variant, experiment.varied.unit),
      runVariant: async (variant, run) => {
        await using session = new TrialSession(variant, run);
        const add = (trial: Parameters<typeof run.add>[0]) =>
          run.add(trial.purpose === 'soak' ? condense(trial as TrialRecord, limitMs, session.during) : trial);
        const trial = (load: number, extras: TrialExtras) =>
          runAtLoad(setting, { setup: variant, session }, { ...run, add }, load, {
            recover: true,
            ...extras,
          });
        const soakAt = (load: number, share?: number) => trial(load, { purpose: 'soak', timing, share });
        for (const load of loads) await soakAt(load);
        if (shares.length === 0) return {};
        const found = await findCapacity(search, { trial, stop: () => session.close() });
        const capacity = found.answer.threshold?.capacity.middle;
        if (capacity === undefined) return found;
        for (const share of shares) await soakAt(Math.max(1, Math.round(share * capacity)), share);
        return found;
      },
    };
  },
  plots: async (run) =>
    [(await import('../../report/plot-soak.ts')).soakPlot(run)].filter((plot) => plot !== null),
  drawn: () => new Set(),
  report: reportSoak,
  compare: compareSoaks,
};

/** The bound of the p99 of delivery latency among the limits; null where there is none. */
function p99LimitMs(limits: readonly string[]): number | null {
  const found = limits
    .map(parseLimit)
    .find(({ metric, operator }) => metric === 'p99' && operator.startsWith('<'));
  return found?.bound ?? null;
}

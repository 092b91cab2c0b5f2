/** The shape of a question about given loads: each variant at the same loads, each repeated. */
import { compareFixedLoads } from '../../analysis/compare.ts';
import type { StageInfo } from '../../deployment/list-stages.ts';
import type { FixedMethod, LoadRun } from '../../records/schema.ts';
import { TrialSession } from '../../trial/session.ts';
import { type LoadExperiment, loadShape, planLoads, runAtLoad } from '../load-trials.ts';
import type { RunOptions } from '../run-plan.ts';
import type { Plan, Shape } from '../shape.ts';
import { reportFixedLoads } from './report.ts';

export type FixedLoadExperiment = LoadExperiment & { method: FixedMethod };

export const fixedLoad: Shape<FixedLoadExperiment, LoadRun> = {
  ...loadShape,
  name: 'fixed-load',
  plan: (experiment, stages, options) => {
    const { method } = experiment;
    const loads = options.loads ?? method.loads;
    const repetitions = options.trials ?? method.repetitions;
    return planFixedLoads(experiment, stages, options, { ...method, loads, repetitions });
  },
  report: reportFixedLoads,
  compare: compareFixedLoads,
};

/** The plan of any experiment with loads for exactly these loads. */
export function planFixedLoads(
  experiment: LoadExperiment,
  stages: readonly StageInfo[],
  options: RunOptions,
  method: FixedMethod,
): Plan {
  const { setting, secondsPerTrial, ...plan } = planLoads(experiment, stages, options, method);
  const { loads, repetitions } = method;
  return {
    ...plan,
    shape: fixedLoad.name,
    estimate: { trials: plan.variants.length * loads.length * repetitions, secondsPerTrial },
    runVariant: async (variant, run) => {
      for (const load of loads) {
        // Each on a server of its own, because memory counts from the idle server.
        for (let repetition = 0; repetition < repetitions; repetition++) {
          await using session = new TrialSession(variant, run);
          await runAtLoad(setting, { setup: variant, session }, run, load, {
            purpose: 'fixed',
            isLast: true,
            ...(variant.resize && { resize: variant.resize }),
          });
        }
      }
      return {};
    },
  };
}

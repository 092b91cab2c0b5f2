/** For tests that act failures out against real processes of this machine. */
import { canResume, listStages } from '../../deployment/list-stages.ts';
import { findServices } from '../../deployment/services/services.ts';
import { startDeployment } from '../../deployment/start.ts';
import { skipMissing } from '../run-plan.ts';
import { type FaultExperiment, type FaultVariant, faults } from './faults.ts';
import { runFaultTrial } from './inject-fault.ts';
import type { FaultTrial } from './record.ts';

const placement = { target: 'process', simulator: 'process' } as const;

/**
 * Each failure of an experiment, and why it cannot be tried here; false where it can. The last stage with a
 * log stands for those before it, which have the same way of a message: each failure takes seconds.
 */
export async function failuresOf(experiment: FaultExperiment) {
  const all = await listStages();
  const stages = [...all.filter((stage) => !canResume(stage)), ...all.filter(canResume).slice(-1)];
  const { variants } = faults.plan(experiment, stages, {
    target: 'process',
    stages: [],
    trials: 1,
    workload: {},
    settings: {},
    allocation: {},
  });
  const { skipped } = skipMissing(variants, await findServices('process'));
  return (variants as FaultVariant[]).map((variant) => ({
    // Not pinned: several are tried at the same time, and on one CPU their servers would starve each other.
    variant: { ...variant, allocation: {} },
    skip: skipped.find(({ name }) => name === variant.name)?.reason ?? (false as const),
  }));
}

/** Acts one failure out. */
export function runFailure(
  variant: FaultVariant,
  load: Parameters<typeof runFaultTrial>[1],
  signal: AbortSignal,
): Promise<FaultTrial> {
  return runFaultTrial(variant, load, {
    deploy: (request) => startDeployment(placement, { ...request, scrapeHost: '127.0.0.1', signal }),
    signal,
    observer: { phase() {}, second() {}, started() {} },
    seed: 1,
    nextNumber: () => 1,
  });
}

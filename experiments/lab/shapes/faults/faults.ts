/** The shape of a question about failures: losses when a part fails under load, and the time to recovery. */
import { type Comparison, compareFailures, compareSpread } from '../../analysis/compare.ts';
import { allocate } from '../../deployment/allocation.ts';
import { canResume, isPerCore, type StageInfo } from '../../deployment/list-stages.ts';
import { formatMs } from '../../report/format.ts';
import type { Variant } from '../../trial/variant.ts';
import { chooseVariants, type RunOptions, refuseWorkload } from '../run-plan.ts';
import type { Experiment, Shape } from '../shape.ts';
import { type FaultPhases, runFaultTrial } from './inject-fault.ts';
import type { FaultRun, FaultTrial, FaultWorkload } from './record.ts';
import { reportFaults } from './report.ts';
import type { Scenario } from './scenarios.ts';

export type FaultExperiment = Experiment &
  FaultPhases & {
    workload: FaultWorkload;
    scenarios: readonly Scenario[];
    /** The clients come back with their position, on the stages that let them. Left out: nobody does. */
    resumes?: boolean;
  };

export type FaultVariant = Variant & { scenario: Scenario };

const limits = ['lostSilently=0', 'duplicated=0', 'reordered=0', 'recovered'];

export const faults: Shape<FaultExperiment, FaultRun> = {
  name: 'faults',
  plan: (experiment, stages, options) => {
    const mistakes = refuseWorkload(options.workload, (quantity) =>
      quantity === 'clients' || quantity === 'ratePerSecond'
        ? null
        : `${experiment.name} has clients of its own, and takes only --clients and --rate`,
    );
    if (options.loads !== undefined)
      mistakes.push(`Leave out --loads: ${experiment.name} tries failures, and not loads.`);
    const load = loadOf(experiment.workload, options);
    const { scenarios, resumes = false } = experiment;
    const asked = resumes ? stages.filter(canResume) : stages;
    const all = asked.flatMap((stage) => variantsOf(stage, scenarios, { ...load, resumes }));
    const variants = chooseVariants(experiment.name, all, stages, options, mistakes) as FaultVariant[];
    const { steadyMs, aftermathMs } = experiment;
    return {
      shape: faults.name,
      variants,
      limits: resumes ? [...limits, 'disordered=0'] : limits,
      usesSimulator: false,
      fields: { workload: load, resumes },
      estimate: {
        trials: variants.length * load.repetitions,
        secondsPerTrial: (steadyMs + aftermathMs) / 1000 + 4,
      },
      trialLine: (trial) => faultLine(trial as FaultTrial),
      runVariant: async (variant, run) => {
        const fault = { ...load, steadyMs, aftermathMs, resumes };
        for (let repetition = 0; repetition < load.repetitions; repetition++)
          run.add(await runFaultTrial(variant as FaultVariant, fault, run));
        return {};
      },
    };
  },
  report: reportFaults,
  plots: async (run) => (await import('./plots.ts')).plotsOfFaults(run),
  compare: compareFaults,
  // Every figure is in the record itself: there are no series.
  drawn: () => new Set(),
};

function loadOf(own: FaultWorkload, { workload, trials }: RunOptions): FaultWorkload {
  const participants = workload.clients ?? own.participants;
  const rate = workload.ratePerSecond ?? participants * own.messagesPerSecond;
  const repetitions = trials ?? own.repetitions;
  return { ...own, participants, messagesPerSecond: rate / participants, repetitions };
}

/** Three rows for each failure that both runs have: its failed trials, its detection and its recovery. */
function compareFaults(runA: FaultRun, runB: FaultRun): Comparison[] {
  return runA.record.variants.flatMap(({ name: variant }) => {
    const trialsOf = ({ trials }: FaultRun) => trials.filter((trial) => trial.variant === variant);
    const [a, b] = [trialsOf(runA), trialsOf(runB)];
    if (a.length === 0 || b.length === 0) return [];
    const detection = { variant, metric: 'detected after', unit: 'ms' } as const;
    const recovery = { variant, metric: 'recovered after', unit: 'ms' } as const;
    return [
      compareFailures(variant, a, b),
      compareSpread(detection, 'lower', a, b, ({ detectionMsMax }) => detectionMsMax),
      compareSpread(recovery, 'lower', a, b, ({ recoveredAfterMs }) => recoveredAfterMs),
    ];
  });
}

/** The failures that a stage can have, by its declared processes and services. */
function variantsOf(
  stage: StageInfo,
  scenarios: readonly Scenario[],
  { reconnectWaitMsMax, resumes }: FaultWorkload & { resumes: boolean },
): FaultVariant[] {
  return scenarios
    .filter(({ appliesTo }) => appliesTo(stage))
    .map((scenario) => ({
      name: `${scenario.name} (${stage.name})`,
      stage: { ...stage, summary: scenario.about, services: scenario.services ?? stage.services },
      scenario,
      nodes: scenario.nodes,
      allocation: allocate(),
      settings: {
        ...(isPerCore(stage) ? { workers: '2' } : {}),
        // One failure floods the chat with large messages.
        'message-bytes-max': '65536',
        'messages-per-second-max': '10000',
        'messages-burst-max': '10000',
        'reconnect-wait-ms-max': String(reconnectWaitMsMax),
        // The participants ask nobody for their seat: to send them there would be a failure more.
        ...(resumes ? { 'moves-per-second': '0' } : {}),
      },
    }));
}

function faultLine(trial: FaultTrial): string {
  const { detectionMsMax, recoveredAfterMs } = trial;
  return [
    `${trial.variant}  trial ${String(trial.number).padStart(2)}  ${trial.outcome.padEnd(4)}`,
    `lost silently ${trial.lostSilently}`,
    `detected after ${formatMs(detectionMsMax)}`,
    recoveredAfterMs === null ? 'not recovered' : `recovered after ${formatMs(recoveredAfterMs)}`,
  ].join('  ');
}

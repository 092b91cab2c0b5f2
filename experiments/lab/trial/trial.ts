/** One trial: start the deployment, check it, let the simulator go through its phases, collect the figures, stop. */
import type { Workload } from '../../../loadtest/workload.ts';
import type {
  Deployment,
  DeploymentRequest,
  LoadtestOutcome,
  LoadtestProgress,
} from '../deployment/deployment.ts';
import type { ProbeSummary, Timing, TrialRecord } from '../records/schema.ts';
import { measureProbes } from './probe.ts';
import { Sampler } from './sampler.ts';
import { checkExchange } from './smoke-check.ts';
import type { Variant } from './variant.ts';

/** What an observer shows of a running trial. */
export type TrialTitle = {
  number: number;
  variant: string;
  stage: string;
  purpose: TrialRecord['purpose'];
  /** The load with its unit, or the fault. */
  about: string;
};

export type TrialRequest = TrialTitle & {
  setup: Variant;
  load: number;
  seed: number;
  workload: Partial<Workload>;
  timing: Timing;
  limits: readonly string[];
};

/** Follows running trials: the live line and the phase metrics. */
export type TrialObserver = {
  phase(phase: string, title: TrialTitle): void;
  second(progress: Extract<LoadtestProgress, { event: 'second' }>): void;
  /** Reports addresses for Prometheus; null where the simulator has none (yet). */
  started(deployment: Deployment, loadtestAddress: string | null): void;
};

/** What a trial gets from the run that it belongs to. */
export type TrialContext = {
  deploy(request: Omit<DeploymentRequest, 'scrapeHost' | 'signal'>): Promise<Deployment>;
  /** Port for the simulator's metrics; null for none. */
  loadtestMetricsPort: number | null;
  signal: AbortSignal;
  observer: TrialObserver;
};

const refusedInput = 2;

type PhaseMark = { phase: string; atMs: number };

/**
 * Runs one trial. A load that is too high, a server that dies and a simulator that fails are outcomes. Rejects when no
 * trial was possible, because the deployment did not start or did not pass a message on.
 */
export async function runTrial(request: TrialRequest, context: TrialContext): Promise<TrialRecord> {
  const startedAt = new Date();
  const marks: PhaseMark[] = [];
  const enter = (phase: string) => {
    marks.push({ phase, atMs: performance.now() });
    context.observer.phase(phase, request);
  };
  enter('start');
  const { stage, settings, nodes, allocation } = request.setup;
  await using deployment = await context.deploy({ stage, settings, nodes, allocation });
  context.observer.started(deployment, null);
  enter('verify');
  await checkExchange(
    deployment.nodes.map((node) => node.chatUrl),
    context.signal,
  );
  const sampler = new Sampler(deployment, () => performance.now());
  await sampler.start();
  using probes = measureProbes(deployment.nodes[0]!.internalUrl);
  const outcome = await runSimulator(deployment, request, context, sampler, (phase) => {
    enter(phase);
    probes.enter(phase);
  });
  await sampler.take();
  sampler.stop();
  enter('stop');
  const interrupted = context.signal.aborted;
  const summaries = await probes.collect();
  return recordOf(request, {
    startedAt,
    marks,
    deployment,
    sampler,
    outcome,
    probes: summaries,
    interrupted,
  });
}

async function runSimulator(
  deployment: Deployment,
  request: TrialRequest,
  context: TrialContext,
  sampler: Sampler,
  enter: (phase: string) => void,
): Promise<LoadtestOutcome> {
  const { timing, limits } = request;
  const workload = {
    ...request.workload,
    durationSeconds: timing.measureSeconds,
    warmUpSeconds: timing.warmUpSeconds,
    drainSeconds: timing.drainSeconds,
    seed: request.seed,
  };
  const metrics = context.loadtestMetricsPort === null ? {} : { metricsPort: context.loadtestMetricsPort };
  return deployment.runLoadtest(
    { ...workload, limits, ...metrics },
    {
      signal: context.signal,
      onScrapeAddress: (address) => context.observer.started(deployment, address),
      onProgress: (progress) => {
        if (progress.event === 'second') return context.observer.second(progress);
        // The summary of the measure phase needs a reading at both ends of it.
        void sampler.take();
        enter(progress.phase);
      },
    },
  );
}

type Collected = {
  startedAt: Date;
  marks: readonly PhaseMark[];
  deployment: Deployment;
  sampler: Sampler;
  outcome: LoadtestOutcome;
  probes: ProbeSummary[];
  interrupted: boolean;
};

function recordOf(request: TrialRequest, collected: Collected): TrialRecord {
  const { marks, sampler, outcome, deployment } = collected;
  const atMs = (phase: string) => marks.find((mark) => mark.phase === phase)?.atMs;
  const measureMs = atMs('measure');
  const originMs = measureMs ?? marks[0]!.atMs;
  const endMs = atMs('drain') ?? marks.at(-1)!.atMs;
  const fault = sampler.fault();
  const { number, variant, stage, load, purpose, seed } = request;
  const toSeconds = (at: number) => Number(((at - originMs) / 1000).toFixed(3));
  const instrumentCpuSeconds = outcome.result?.instrument.cpuSeconds ?? 0;
  return {
    ...{ number, variant, stage, load, purpose, seed },
    ...judge(outcome, fault, collected.interrupted),
    startedAt: collected.startedAt.toISOString(),
    phases: marks.map((mark) => ({ phase: mark.phase, atSeconds: toSeconds(mark.atMs) })),
    observedLimits: deployment.observedLimits,
    pinnedServerCores: deployment.pinnedServerCores,
    facts: deployment.facts,
    fault,
    // The readings at the ends of the phase come shortly after its marks.
    server: measureMs === undefined ? null : sampler.summary(measureMs, endMs + 100, instrumentCpuSeconds),
    probes: collected.probes,
    nodes: sampler.nodeSeries(originMs),
    metrics: sampler.metricsSeries(originMs),
    loadtest: outcome.result,
  };
}

/**
 * A dead server is a failed trial, whatever the simulator reported. A simulator that refuses its input (more clients than
 * it has ports for) cannot judge that load. One that dies without a message is a bug, and no trial.
 */
function judge(
  { result, exitCode, errorText }: LoadtestOutcome,
  fault: string | null,
  interrupted: boolean,
): Pick<TrialRecord, 'outcome' | 'reasons'> {
  const reasons = result === null ? [] : [...result.reasons];
  if (interrupted) return { outcome: 'interrupted', reasons };
  if (fault !== null) return { outcome: 'fail', reasons: [`the server failed: ${fault}`, ...reasons] };
  // An undetermined trial has measured the simulator as much as the server.
  if (result !== null)
    return { outcome: result.verdict === 'undetermined' ? 'void' : result.verdict, reasons };
  if (exitCode === refusedInput) return { outcome: 'void', reasons: [`the simulator refused: ${errorText}`] };
  throw new Error(`The simulator ended with code ${exitCode} and no result. Its last lines:\n${errorText}`);
}

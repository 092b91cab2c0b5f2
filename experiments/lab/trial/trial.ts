/** One trial: start the deployment, check it, run the simulator, collect the figures, stop. */
import type { Workload } from '../../../loadtest/workload.ts';
import type {
  Deployment,
  DeploymentRequest,
  SimulatorOutcome,
  SimulatorProgress,
} from '../deployment/deployment.ts';
import type { Timing, TrialRecord } from '../records/schema.ts';
import { timeInternalPort } from './internal-port.ts';
import { Sampler } from './sampler.ts';
import { smokeCheck } from './smoke-check.ts';
import type { Variant } from './variant.ts';

/** Names a running trial for its observers. */
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
  second(progress: Extract<SimulatorProgress, { event: 'second' }>): void;
  /** Reports addresses for Prometheus; null where the simulator has none (yet). */
  started(deployment: Deployment, simulatorAddress: string | null): void;
};

/** The part of a run that a trial uses. */
export type TrialContext = {
  deploy(request: Omit<DeploymentRequest, 'scrapeHost' | 'signal'>): Promise<Deployment>;
  /** Port for the simulator's metrics; null for none. */
  simulatorMetricsPort: number | null;
  signal: AbortSignal;
  observer: TrialObserver;
};

const refusedInput = 2;

/**
 * Runs one trial. A load that is too high, a server that dies and a simulator that fails are outcomes.
 * Rejects when no trial was possible, because the deployment did not start or did not pass a message on.
 */
export async function runTrial(request: TrialRequest, context: TrialContext): Promise<TrialRecord> {
  const { signal, observer, simulatorMetricsPort } = context;
  const { stage, settings, nodes, balancer, allocation } = request.setup;
  const startedAt = new Date().toISOString();
  const marks: { phase: string; atMs: number }[] = [];
  const enter = (phase: string) => {
    marks.push({ phase, atMs: performance.now() });
    observer.phase(phase, request);
  };
  enter('start');
  await using deployment = await context.deploy({
    stage,
    settings,
    nodes,
    balancer: balancer ?? false,
    allocation,
  });
  observer.started(deployment, null);
  enter('verify');
  const chatUrls = deployment.nodes.map(({ chatUrl }) => chatUrl);
  await smokeCheck(chatUrls, signal);
  const sampler = new Sampler(deployment, () => performance.now());
  await sampler.start();
  using internalPort = timeInternalPort(deployment.nodes[0]!.internalUrl);
  const { measureSeconds: durationSeconds, warmUpSeconds, drainSeconds } = request.timing;
  const quantities = { ...request.workload, durationSeconds, warmUpSeconds, drainSeconds };
  const metrics = simulatorMetricsPort === null ? {} : { metricsPort: simulatorMetricsPort };
  const outcome = await deployment.runSimulator(
    { ...quantities, ...metrics, seed: request.seed, limits: request.limits },
    {
      signal,
      onScrapeAddress: (address) => observer.started(deployment, address),
      onProgress: (progress) => {
        if (progress.event === 'second') return observer.second(progress);
        // The summary of the measure phase needs a reading at both ends of it.
        void sampler.take();
        enter(progress.phase);
        internalPort.enter(progress.phase);
      },
    },
  );
  await sampler.take();
  sampler.stop();
  enter('stop');
  const { number, variant, load, purpose, seed } = request;
  const title = { number, variant, stage: request.stage, load, purpose, seed, startedAt };
  const judged = judge(outcome, sampler.fault()?.text ?? null, signal.aborted);
  const figures = figuresOf(deployment, sampler, marks, outcome.result);
  return { ...title, ...judged, ...figures, probes: await internalPort.collect() };
}

/** The figures of the deployment. Times count from the start of the measure phase, if it came to one. */
function figuresOf(
  { observedLimits, pinnedServerCores, facts }: Deployment,
  sampler: Sampler,
  marks: readonly { phase: string; atMs: number }[],
  loadtest: SimulatorOutcome['result'],
) {
  const atMs = (phase: string) => marks.find((mark) => mark.phase === phase)?.atMs;
  const measureMs = atMs('measure');
  const originMs = measureMs ?? marks[0]!.atMs;
  // The readings at the ends of the phase come shortly after its marks.
  const endMs = (atMs('drain') ?? marks.at(-1)!.atMs) + 100;
  const toSeconds = (at: number) => Number(((at - originMs) / 1000).toFixed(3));
  const fault = sampler.fault();
  const instrumentCpuSeconds = loadtest?.instrument.cpuSeconds ?? 0;
  return {
    observedLimits,
    pinnedServerCores,
    facts,
    loadtest,
    fault: fault?.text ?? null,
    faultKind: fault?.kind,
    phases: marks.map((mark) => ({ phase: mark.phase, atSeconds: toSeconds(mark.atMs) })),
    server: measureMs === undefined ? null : sampler.summary(measureMs, endMs, instrumentCpuSeconds),
    nodes: sampler.nodeSeries(originMs),
    metrics: sampler.metricsSeries(originMs),
  };
}

/**
 * A dead server is a failed trial, also where the simulator reports a pass. A simulator that refuses its
 * input (more clients than it has ports for) cannot judge that load. One that dies without a message is a
 * bug, and no trial.
 */
function judge(
  { result, exitCode, errorText }: SimulatorOutcome,
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

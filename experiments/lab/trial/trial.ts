/** One trial: start target, verify, let the simulator go through its phases, collect, stop. */

import type { Deployment, LoadtestOutcome, LoadtestProgress, TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/stage-table.ts';
import { startDeployment } from '../deployment/start.ts';
import type { TrialRecord } from '../records/schema.ts';
import type { Timing, Variant, Workload } from '../shapes/experiment.ts';
import { measureProbes, type ProbeSummary } from './probe.ts';
import { Sampler } from './sampler.ts';
import { verifyExchange } from './smoke-check.ts';

export type TrialRequest = {
  number: number;
  variant: Variant;
  load: number;
  purpose: TrialRecord['purpose'];
  seed: number;
  workload: Workload;
  timing: Timing;
  limits: readonly string[];
};

/** Who watches a running trial: the live line and the phase metrics. */
export type TrialObserver = {
  phase(phase: string, request: TrialRequest): void;
  second(progress: Extract<LoadtestProgress, { event: 'second' }>): void;
  /** Addresses for Prometheus; null where there is none (yet). */
  started(target: Deployment, loadtestAddress: string | null): void;
};

export type TrialContext = {
  target: TargetKind;
  stage: StageInfo;
  scrapeHost: string;
  /** Port for the simulator's metrics; null for none. */
  loadtestMetricsPort: number | null;
  signal: AbortSignal;
  observer: TrialObserver;
};

const refusedInput = 2;
const outcomeOf = { pass: 'passed', fail: 'failed', void: 'void' } as const;

type PhaseMark = { phase: string; atMs: number };

/**
 * Runs one trial. A load too high, a server that dies and a simulator that fails are outcomes; rejects with what went
 * wrong when no trial could be had at all, because the target did not start or did not pass a message on.
 */
export async function runTrial(request: TrialRequest, context: TrialContext): Promise<TrialRecord> {
  const startedAt = new Date();
  const marks: PhaseMark[] = [];
  const enter = (phase: string) => {
    marks.push({ phase, atMs: performance.now() });
    context.observer.phase(phase, request);
  };
  enter('start');
  await using target = await startDeployment(
    { target: context.target, simulator: context.target },
    {
      stage: context.stage,
      settings: request.variant.settings,
      nodes: request.variant.nodes,
      allocation: request.variant.targetLimits,
      scrapeHost: context.scrapeHost,
      signal: context.signal,
    },
  );
  context.observer.started(target, null);
  enter('verify');
  await verifyExchange(
    target.nodes.map((node) => node.chatUrl),
    context.signal,
  );
  const sampler = new Sampler(target, () => performance.now());
  await sampler.start();
  using probes = measureProbes(target.nodes[0]!.internalUrl);
  const outcome = await runSimulator(target, request, context, sampler, (phase) => {
    enter(phase);
    probes.enter(phase);
  });
  await sampler.take();
  sampler.stop();
  enter('stop');
  return recordOf(request, {
    startedAt,
    marks,
    target,
    sampler,
    outcome,
    probes: await probes.collect(),
    interrupted: context.signal.aborted,
  });
}

async function runSimulator(
  target: Deployment,
  request: TrialRequest,
  context: TrialContext,
  sampler: Sampler,
  enter: (phase: string) => void,
): Promise<LoadtestOutcome> {
  const { clients, ratePerSecond, payloadBytes, ...rest } = request.workload;
  const options = {
    clients,
    ratePerSecond,
    payloadBytes,
    ...rest,
    durationSeconds: request.timing.measureSeconds,
    warmUpSeconds: request.timing.warmUpSeconds,
    drainSeconds: request.timing.drainSeconds,
    seed: request.seed,
    limits: request.limits,
    ...(context.loadtestMetricsPort === null ? {} : { metricsPort: context.loadtestMetricsPort }),
  };
  return target.runLoadtest(options, {
    signal: context.signal,
    onScrapeAddress: (address) => context.observer.started(target, address),
    onProgress: (progress) => {
      if (progress.event === 'second') return context.observer.second(progress);
      // The summary of the measure phase needs a reading at both its ends.
      void sampler.take();
      enter(progress.phase);
    },
  });
}

type Collected = {
  startedAt: Date;
  marks: readonly PhaseMark[];
  target: Deployment;
  sampler: Sampler;
  outcome: LoadtestOutcome;
  probes: ProbeSummary[];
  interrupted: boolean;
};

function recordOf(request: TrialRequest, collected: Collected): TrialRecord {
  const { marks, sampler, outcome, target } = collected;
  const atMs = (phase: string) => marks.find((mark) => mark.phase === phase)?.atMs;
  const measureMs = atMs('measure');
  const originMs = measureMs ?? marks[0]!.atMs;
  const endMs = atMs('drain') ?? marks.at(-1)!.atMs;
  const fault = sampler.fault();
  const judged = judge(outcome, fault, collected.interrupted);
  return {
    number: request.number,
    variant: request.variant.name,
    stage: request.variant.stage,
    load: request.load,
    purpose: request.purpose,
    ...judged,
    seed: request.seed,
    startedAt: collected.startedAt.toISOString(),
    phases: marks.map(({ phase, atMs: at }) => ({
      phase,
      atSeconds: Number(((at - originMs) / 1000).toFixed(3)),
    })),
    observedLimits: target.observedLimits,
    pinnedServerCores: target.pinnedServerCores,
    facts: target.facts,
    fault,
    // The readings at the ends of the phase come a moment after its marks.
    server:
      measureMs === undefined
        ? null
        : sampler.summary(measureMs, endMs + 100, outcome.result?.instrument.cpuSeconds ?? 0),
    probes: collected.probes,
    nodes: sampler.nodeSeries(originMs),
    metrics: sampler.metricsSeries(originMs),
    loadtest: outcome.result,
  };
}

/**
 * A dead server is a failed trial whatever the simulator made of it. A simulator that refuses its input (more clients than
 * it has ports for) cannot judge that load; one that dies without a word is a bug, and no trial.
 */
function judge(
  outcome: LoadtestOutcome,
  fault: string | null,
  interrupted: boolean,
): Pick<TrialRecord, 'outcome' | 'reasons'> {
  const { result, exitCode, errorText } = outcome;
  const reasons = result === null ? [] : [...result.reasons];
  if (interrupted) return { outcome: 'interrupted', reasons };
  if (fault !== null) return { outcome: 'failed', reasons: [`the server failed: ${fault}`, ...reasons] };
  if (result !== null) return { outcome: outcomeOf[result.verdict], reasons };
  if (exitCode === refusedInput) return { outcome: 'void', reasons: [`the simulator refused: ${errorText}`] };
  throw new Error(`The simulator ended with code ${exitCode} and no result. It said:\n${errorText}`);
}

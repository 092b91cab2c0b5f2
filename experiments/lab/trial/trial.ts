/** One trial: what it is asked, who follows it, and its record once it has ended. session.ts runs it. */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { Workload } from '../../../loadtest/workload.ts';
import { disturbanceOf } from '../analysis/disturbance.ts';
import { recoveredAfter } from '../analysis/recovery.ts';
import type { Deployment, DeploymentRequest, SimulatorProgress } from '../deployment/deployment.ts';
import type { ResizeRecord } from '../records/resize-schema.ts';
import type { ServerSummary, Timing, TrialRecord } from '../records/schema.ts';
import type { Freeze } from './freeze.ts';
import type { Resize } from './resize.ts';
import type { Sampler } from './sampler.ts';

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
  load: number;
  seed: number;
  workload: Partial<Workload>;
  timing: Timing;
  limits: readonly string[];
  /** p99 of the schedule lag above which it is void; left out: the simulator's own default. */
  lagLimitMs?: number;
  /** The highest rate that is expected on the same connections; left out: that of this trial. */
  rateMax?: number;
  /** No trial follows on these connections: the drain takes its full time. */
  isLast?: boolean;
  /** Share of the capacity that the load is. */
  share?: number;
  /** Which start of the server by the search it runs on, from 1. */
  serverStart?: number;
  /** The CPU quota of the nodes is lifted for this trial: for a warm-up. */
  withoutQuota?: boolean;
  /** All server nodes are stopped for a moment. */
  freeze?: Freeze;
  /** Nodes come and go. */
  resize?: Resize;
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

/** When a trial came to a phase, by the clock of `performance.now()`. */
export type Mark = { phase: string; atMs: number };

/** How the simulator ended a trial: with a result, or with an error. */
export type TrialEnd =
  | { result: LoadtestResult; error: null }
  | { result: null; error: { exitCode: number | null; message: string } };

type TrialParts = {
  deployment: Deployment;
  sampler: Sampler;
  marks: readonly Mark[];
  probes: TrialRecord['probes'];
  freeze: Freeze | null;
  resize: ResizeRecord | null;
};

/** The record of a trial that has ended. Throws where the simulator died without a reason: that is a bug. */
export function recordOf(
  request: TrialRequest,
  startedAt: string,
  end: TrialEnd,
  { deployment, sampler, marks, probes, freeze, resize }: TrialParts,
  interrupted: boolean,
): TrialRecord {
  const { number, variant, stage, load, purpose, seed, share, serverStart } = request;
  const title = { number, variant, stage, load, purpose, seed, startedAt };
  const figures = figuresOf(deployment, sampler, marks, end.result);
  return {
    ...title,
    ...judge(end, { ...figures, resizeError: resize?.error ?? null }, interrupted),
    ...(share !== undefined && { share }),
    ...(serverStart !== undefined && { serverStart }),
    ...(freeze !== null && { freeze: { ...freeze, recoveredSeconds: recoveredAfter(freeze, end.result) } }),
    ...(resize !== null && { resize }),
    ...figures,
    probes,
  };
}

/** The figures of the deployment. Times count from the start of the measure phase, if it came to one. */
function figuresOf(
  { observedLimits, pinnedServerCores, facts }: Deployment,
  sampler: Sampler,
  marks: readonly Mark[],
  loadtest: LoadtestResult | null,
) {
  const atMs = (phase: string) => marks.find((mark) => mark.phase === phase)?.atMs;
  const measureMs = atMs('measure');
  const beginMs = marks[0]!.atMs;
  const originMs = measureMs ?? beginMs;
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
    nodes: sampler.nodeSeries(originMs, beginMs, performance.now()),
    metrics: sampler.metricsSeries(originMs, beginMs, performance.now()),
  };
}

type Judged = { fault: string | null; server: ServerSummary | null; resizeError: string | null };

/**
 * A dead server is a failed trial, also where the simulator reports a pass. One that something else disturbed
 * says nothing. A simulator that refuses its
 * input (more clients than it has ports for) cannot judge that load. One that dies without a message is a
 * bug, and no trial.
 */
function judge(
  { result, error }: TrialEnd,
  { fault, server, resizeError }: Judged,
  interrupted: boolean,
): Pick<TrialRecord, 'outcome' | 'reasons'> {
  const reasons = result === null ? [] : [...result.reasons];
  if (interrupted) return { outcome: 'interrupted', reasons };
  if (fault !== null) return { outcome: 'fail', reasons: [`the server failed: ${fault}`, ...reasons] };
  if (resizeError !== null)
    return { outcome: 'fail', reasons: [`the nodes could not be changed: ${resizeError}`, ...reasons] };
  const disturbance = server === null ? null : disturbanceOf(server);
  if (error === null && disturbance !== null) return { outcome: 'void', reasons: [disturbance, ...reasons] };
  // An undetermined trial has measured the simulator as much as the server.
  if (error === null)
    return { outcome: result.verdict === 'undetermined' ? 'void' : result.verdict, reasons };
  const { exitCode, message } = error;
  if (exitCode === refusedInput) return { outcome: 'void', reasons: [`the simulator refused: ${message}`] };
  throw new Error(`The simulator ended with code ${exitCode} and no result. Its last lines:\n${message}`);
}

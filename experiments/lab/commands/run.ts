/** `run`: plans an experiment, runs it under everybody's eyes, and leaves its result files. */
import { readEnvironment } from '../../../loadtest/result/environment.ts';
import type { TargetKind } from '../deployment/deployment.ts';
import { serviceProviders } from '../deployment/services/services.ts';
import { listStages, type StageInfo } from '../deployment/stage-table.ts';
import { prepareContainers } from '../deployment/start.ts';
import type { Run } from '../records/schema.ts';
import type { Experiment } from '../shapes/experiment.ts';
import {
  InputError,
  type Overrides,
  type Plan,
  planRun,
  type ServicesFound,
  trialsExpected,
} from '../shapes/run-plan.ts';
import { runExperiment } from '../shapes/runner.ts';
import type { TrialObserver } from '../trial/trial.ts';
import { LiveView } from '../watch/live-line.ts';
import { PhaseMetrics } from '../watch/phase-metrics.ts';

export type RunOptions = {
  experiment: Experiment;
  target: TargetKind;
  /** Nobody asked for that target: where containers cannot be had after all, processes will do. */
  targetIsDefault: boolean;
  seed: number;
  resultsDirectory: string;
  overrides: Overrides;
  /** Port of the lab's own metrics, the simulator's on the next; 0 for none, undefined for the usual ones if they are free. */
  metricsPort: number | undefined;
  scrapeHost: string;
  targetsFile: string;
};

const usualMetricsPort = 9470;
// Starting, verifying, connecting, probing and stopping take about this long on loopback; corrected as trials end.
const secondsAroundPhases = 2.5;

/** Runs it; rejects with an `InputError` when the options cannot be met. An abort gives the partial run. */
export async function runCommand(asked: RunOptions, signal: AbortSignal): Promise<Run> {
  const { experiment } = asked;
  const stages = await listStages();
  const services = await findServices(stages, asked.overrides.stages);
  const plan = planRun(experiment, stages, services, asked.target, asked.overrides);
  const print = (line: string) => console.log(line);
  const options = { ...asked, target: await readyTarget(asked, signal, print) };
  print(`${experiment.name}: ${experiment.question}`);
  print(`limits: ${experiment.limits.join(', ')}; ${describeTarget(options.target)}`);
  for (const skip of plan.skipped) print(`skipped ${skip.name}: ${skip.reason}. ${skip.ways.join(' ')}`);
  await using metrics = await openMetrics(options, print);
  using live = liveOf(experiment, plan);
  const observer = observeTrials(live, metrics);
  return await runExperiment(
    {
      ...plan,
      experiment,
      stages,
      seed: options.seed,
      target: options.target,
      environment: readEnvironment(),
      resultsDirectory: options.resultsDirectory,
    },
    (variant) => ({
      target: options.target,
      stage: stages.find(({ name }) => name === variant.stage)!,
      scrapeHost: options.scrapeHost,
      loadtestMetricsPort: metrics === null ? null : metrics.port + 1,
      signal,
      observer,
    }),
    signal,
    live,
  );
}

async function readyTarget(
  { target, targetIsDefault }: RunOptions,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<TargetKind> {
  if (target === 'process') return target;
  const fault = await prepareContainers(signal, print);
  if (fault === null) return target;
  if (!targetIsDefault) throw new InputError([`Get containers to run, or choose --target process: ${fault}`]);
  print(`Running as processes, because containers cannot be had: ${fault}`);
  return 'process';
}

function observeTrials(live: LiveView, metrics: PhaseMetrics | null): TrialObserver {
  return {
    phase: (phase, request) => {
      live.phase(phase, request);
      metrics?.phase(phase, request);
    },
    second: (progress) => live.second(progress),
    started: (target, loadtestAddress) => metrics?.started(target, loadtestAddress),
  };
}

function liveOf(experiment: Experiment, plan: Plan): LiveView {
  const { warmUpSeconds, measureSeconds } = plan.timing;
  return new LiveView({
    write: (text) => process.stdout.write(text),
    terminal: process.stdout.isTTY === true,
    // A pseudo-terminal that nobody sized says 0.
    columns: () => process.stdout.columns || 120,
    experiment: experiment.name,
    unit: experiment.varied.unit,
    trialsExpected: trialsExpected(plan),
    secondsPerTrial: warmUpSeconds + measureSeconds + secondsAroundPhases,
    now: () => performance.now(),
  });
}

/** Ports that were asked for must be free; the usual ones may be another lab's, and then this run goes unwatched. */
async function openMetrics(options: RunOptions, print: (line: string) => void): Promise<PhaseMetrics | null> {
  const { scrapeHost, targetsFile, metricsPort } = options;
  if (metricsPort === 0) return null;
  const port = metricsPort ?? usualMetricsPort;
  const metrics = new PhaseMetrics({
    experiment: options.experiment.name,
    metricsPort: port,
    scrapeHost,
    targetsFile,
  });
  const fault = await metrics.listen();
  if (fault === null) return metrics;
  if (metricsPort !== undefined) {
    throw new InputError([
      `Choose free metrics ports: required ${port} and ${port + 1}, or 0 for none; ${fault}.`,
    ]);
  }
  print(`Prometheus cannot follow this run: ${fault}`);
  return null;
}

function describeTarget(kind: TargetKind): string {
  return kind === 'process'
    ? 'processes of this machine, on cores of their own where it has taskset'
    : 'containers';
}

/** Looks only for what the chosen stages might need. */
async function findServices(stages: readonly StageInfo[], chosen: readonly string[]): Promise<ServicesFound> {
  const relevant = stages.filter(
    ({ name }) => chosen.length === 0 || chosen.some((one) => name.includes(one)),
  );
  const needed = new Set(relevant.flatMap(({ services }) => services));
  const found = serviceProviders
    .filter(({ name }) => needed.has(name))
    .map(async (provider) => [provider.name, await provider.find()] as const);
  return new Map(await Promise.all(found));
}

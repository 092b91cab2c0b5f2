/**
 * `run`: plans an experiment, runs it with a live line and metrics, and leaves its result files and reports.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { interruption } from '#host/interruption.ts';
import { paintFor } from '#host/paint.ts';
import { fitted } from '#host/wrapped.ts';
import { readEnvironment } from '../../../loadtest/result/environment.ts';
import { quantities, readWorkload } from '../../../loadtest/workload.ts';
import {
  type Allocation,
  defaultCpuPeriodMs,
  type Placement,
  type TargetKind,
} from '../deployment/deployment.ts';
import { listStages } from '../deployment/list-stages.ts';
import { findServices } from '../deployment/services/services.ts';
import { chooseTarget, prepareContainers, startDeployment } from '../deployment/start.ts';
import { InputError } from '../input-error.ts';
import { openResults } from '../records/store.ts';
import { findByShortName, type RunOptions, skipMissing } from '../shapes/run-plan.ts';
import { shapeOf, showReport } from '../shapes/run-report.ts';
import type { PlannedRun, RunObserver } from '../shapes/runner.ts';
import type { Experiment, Plan, Registry } from '../shapes/shape.ts';
import type { TrialContext, TrialObserver } from '../trial/trial.ts';
import { needsOf } from '../trial/variant.ts';
import { LiveView } from '../watch/live-line.ts';
import { openPhaseMetrics, type PhaseMetrics } from '../watch/phase-metrics.ts';
import * as value from './option-values.ts';
import { addOutcomeOptions, type OutcomeFlags, openOutcome } from './outcome.ts';
import { addWatchOptions, openWatch, type WatchFlags } from './watch.ts';

/** Cores, MiB and milliseconds. */
type BoxFlags = {
  serverCpus?: number;
  serverMemory?: number;
  loadtestCpus?: number;
  loadtestMemory?: number;
  cpuPeriod?: number;
};

export type RunFlags = BoxFlags & {
  stage?: string[];
  trials?: number;
  precision?: number;
  /** Minutes. */
  time?: number;
  /** A share of the time that was given: of so many. */
  sharedBy?: number;
  quick?: true;
  curve?: true;
  loads?: number[];
  scenario?: string[];
  url?: string;
  seed: number;
  target?: TargetKind;
  simulator?: TargetKind;
  set?: Record<string, string>;
  results: string;
  wide?: true;
  metricsPort?: number;
  scrapeHost: string;
  targetsFile: string;
};

/** The committed prometheus.yml looks here for the targets of a running experiment. */
const targetsFile = join(import.meta.dirname, '..', '..', '..', 'prometheus', 'targets', 'lab.json');
/** Quantities that the lab sets itself: the deployment knows the urls, every trial has its own seed. */
const ownQuantities: readonly string[] = ['urls', 'seed'];

export function addRun(program: Command, registry: Registry): void {
  const first = registry.experiments[0]?.name;
  const command = program
    .command('run', { isDefault: true })
    .description('run an experiment; without a name, the first of the list')
    .argument('[name]', 'name, number or word of an experiment, such as 001-ladder, 1 or ladder', first)
    .action(async (name: string, flags: RunFlags & OutcomeFlags & WatchFlags) => {
      const experiment = experimentNamed(name, registry);
      const outcome = openOutcome(flags, registry);
      const signal = interruption();
      await using watch = await openWatch(experiment, flags, signal, print);
      const run = await runExperiment(experiment, flags, signal, {
        times: 1,
        run: (planned, context, live) => watch.run(outcome.checked(planned), context, live),
      });
      console.log();
      const report = await showReport(run, shapeOf(run, registry), flags.results, flags.wide);
      await watch.ended(report);
      process.exitCode = outcome.conclude(run);
      await watch.untilInterrupted();
    });
  addRunOptions(command);
  addOutcomeOptions(command).option('--baseline <run>', 'compare with this run at the end, as compare does');
  addWatchOptions(command);
}

/** The options of every command that runs an experiment. */
export function addRunOptions(command: Command): void {
  command
    .option('--stage <names>', 'only these stages; repeat it or separate names with commas', value.names)
    .option('--quick', 'two stages and a short search: a first answer in about a minute')
    .option('--trials <n>', 'bound on the trials of a capacity search, or repetitions', value.positiveInteger)
    .option('--precision <share>', 'half width of the interval that ends a search, e.g. 5%', value.share)
    .option(
      '--time <time>',
      'time for all searches together, such as 30m; of a soak, for each long trial',
      value.minutes,
    )
    .option('--curve', 'after each search also latency against load, and recovery from a freeze')
    .option('--loads <n,n>', 'try exactly these loads instead of searching', value.loads)
    .option('--scenario <text>', 'only scenarios whose name contains it; repeatable', value.repeated)
    .option(
      '--url <url>',
      'for scenarios: a server that the lab does not start, ws://host:port/ws',
      value.wsUrl,
    )
    .option('--seed <n>', 'seed of payloads and schedules', value.positiveInteger, 1)
    .option('--target <kind>', 'where the servers run: process or container', value.targetKind)
    .option('--simulator <kind>', 'where the simulator runs (default: as the target)', value.targetKind)
    .option('--server-cpus <cores>', 'CPU quota of each server container', value.positiveNumber)
    .option('--server-memory <size>', 'memory limit of each server container', value.mebibytes)
    .option('--loadtest-cpus <cores>', 'CPU quota of the simulator container', value.positiveNumber)
    .option('--loadtest-memory <size>', 'memory limit of the simulator container', value.mebibytes)
    .option(
      '--cpu-period <time>',
      `periods in which CPU quotas are enforced (default: ${defaultCpuPeriodMs}ms; the engine's own: 100ms)`,
      value.milliseconds,
    )
    .option('--set <flag=value>', 'a flag of the server for every variant; repeatable', value.settings)
    .option('--wide', 'every column of the table at the end, however wide it is')
    .option('--results <dir>', 'where result directories are made', 'results')
    .option(
      '--metrics-port <port>',
      'port of the phase metrics; the simulator uses the next one; 0 for neither (default: 9470 if free)',
      value.port,
    )
    .option('--scrape-host <name>', 'name under which Prometheus reaches this machine', '127.0.0.1')
    .option('--targets-file <path>', 'file_sd file for Prometheus', targetsFile);
  for (const [name, { flag, argument, help, isList }] of quantities()) {
    if (ownQuantities.includes(name)) continue;
    const option = command.createOption(`${flag} ${argument}`.trim(), `workload: ${help}`);
    command.addOption(isList ? option.argParser(value.repeated) : option);
  }
}

/** Throws an `InputError` that lists the experiments. */
export function experimentNamed(name: string, { experiments }: Registry): Experiment {
  const experiment = findByShortName(experiments, name);
  if (experiment !== undefined) return experiment;
  const known = experiments.map((one) => one.name).join(', ');
  throw new InputError([`Name an experiment: required one of ${known}; given ${name}.`]);
}

/** What is done with a planned run, once all is ready for its trials; `times`: runs of each variant. */
export type Conduct<Result> = {
  times: number;
  run(planned: PlannedRun, context: TrialContext, live: RunObserver): Promise<Result>;
};

/** Runs it; rejects with an `InputError` when the flags cannot be met. An abort gives the partial run. */
export async function runExperiment<Result>(
  experiment: Experiment,
  flags: RunFlags,
  signal: AbortSignal,
  conduct: Conduct<Result>,
): Promise<Result> {
  const { shape } = experiment;
  openResults(flags.results);
  const stages = await listStages();
  refuseForeign(experiment, flags);
  const target = await chooseTarget(flags.url === undefined ? flags.target : 'process', experiment.target);
  const plan = shape.plan(experiment, stages, optionsOf(flags, target));
  const services = plan.variants.flatMap(needsOf);
  const { runnable, skipped } = skipMissing(plan.variants, await findServices(target, services));
  if (!plan.usesSimulator && flags.simulator !== undefined)
    throw new InputError(['Leave out --simulator: this experiment uses clients of the lab instead.']);
  const placement = await placementOf(experiment, target, flags, signal);
  print(`${experiment.name}: ${experiment.question}`);
  print(`limits: ${plan.limits.join(', ')}; target: ${placement.target}`);
  for (const skip of skipped) print(`skipped ${skip.name}: ${skip.reason}. ${skip.ways.join(' ')}`);
  await using metrics = await openPhaseMetrics({ ...flags, experiment: experiment.name }, print);
  using live = liveOf(experiment, plan, conduct.times);
  const { seed, results: resultsDirectory, scrapeHost } = flags;
  const environment = readEnvironment();
  return await conduct.run(
    { experiment, plan, variants: runnable, skipped, seed, ...placement, resultsDirectory, environment },
    {
      deploy: (request) => startDeployment(placement, { ...request, scrapeHost, signal }),
      simulatorMetricsPort: metrics === null ? null : metrics.port + 1,
      signal,
      observer: observe(live, metrics),
    },
    live,
  );
}

/** Throws an `InputError` for options that the shape of the experiment would ignore. */
function refuseForeign({ name, shape }: Experiment, flags: RunFlags): void {
  const reasons = { scenario: 'has no scenarios', url: 'has no scenarios', quick: 'searches no capacity' };
  const mistakes = (['scenario', 'url', 'quick'] as const)
    .filter((option) => flags[option] !== undefined && !shape.takes?.includes(option))
    .map((option) => `Leave out --${option}: ${name} ${reasons[option]}.`);
  if (mistakes.length > 0) throw new InputError(mistakes);
}

/**
 * Prepares containers where they are needed. Where there are none, rejects with an `InputError` if the user
 * or the experiment asked for them; otherwise processes replace them.
 */
async function placementOf(
  experiment: Experiment,
  target: TargetKind,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<Placement> {
  const { simulator = target } = flags;
  if (target === 'process' && simulator === 'process') return { target, simulator };
  const fault = await prepareContainers(signal, print);
  if (fault === null) return { target, simulator };
  const asked = [flags.target, experiment.target, ...Object.values(allocationOf(flags))];
  if (asked.some((value) => value !== undefined) || flags.simulator === 'container')
    throw new InputError([`Start a container engine, or choose --target process: ${fault}`]);
  print(`Running as processes, because containers are not available: ${fault}`);
  return { target: 'process', simulator: 'process' };
}

function print(line: string): void {
  console.log(fitted(line, process.stdout));
}

/** Throws an `InputError` that names every mistake in the flags of the workload. */
function optionsOf(flags: RunFlags, target: TargetKind): RunOptions {
  // Not those of the workload: the lab has a seed of its own, and the deployment knows the URLs.
  const { seed: _, url: __, ...texts } = flags as RunFlags & Record<string, unknown>;
  const { workload, problems } = readWorkload(texts);
  const { stage, trials, precision, time: minutes, sharedBy, quick, curve, loads, set } = flags;
  if (problems.length > 0) throw new InputError(problems);
  return {
    target,
    stages: stage ?? [],
    trials,
    scenarios: flags.scenario,
    url: flags.url,
    precision,
    minutes,
    sharedBy,
    quick,
    curve,
    loads,
    settings: set ?? {},
    allocation: allocationOf(flags),
    workload,
  };
}

function allocationOf(flags: RunFlags): Allocation {
  const { serverCpus, serverMemory: serverMemoryMb, loadtestCpus, loadtestMemory: loadtestMemoryMb } = flags;
  const { cpuPeriod: cpuPeriodMs } = flags;
  return { serverCpus, serverMemoryMb, loadtestCpus, loadtestMemoryMb, cpuPeriodMs };
}

function liveOf(experiment: Experiment, { variants, estimate }: Plan, times: number): LiveView {
  return new LiveView({
    write: (text) => process.stdout.write(text),
    terminal: process.stdout.isTTY === true,
    // A pseudo-terminal without a size reports 0.
    columns: () => process.stdout.columns || 120,
    experiment: experiment.name,
    variants: variants.length * times,
    trials: estimate.trials * times,
    secondsPerTrial: estimate.secondsPerTrial,
    now: () => performance.now(),
    paint: paintFor(process.stdout),
  });
}

/** Shows running trials on the live line, and on the metrics where there are any. */
function observe(live: LiveView, metrics: PhaseMetrics | null): TrialObserver {
  return {
    phase: (phase, title) => {
      live.phase(phase, title);
      metrics?.phase(phase, title);
    },
    second: (progress) => live.second(progress),
    started: (deployment, simulatorAddress) => metrics?.started(deployment, simulatorAddress),
  };
}

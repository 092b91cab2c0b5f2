/** npm run experiment: the command line of the lab. Exit codes: 0 limits held, 1 a limit broke, 2 bad input, 3 void, 130 interrupted. */
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { compareRuns } from './lab/analysis/compare.ts';
import { exitCodeOf } from './lab/analysis/exit-code.ts';
import { diagnose, doctorExitCode } from './lab/commands/doctor.ts';
import { runCommand } from './lab/commands/run.ts';
import type { TargetKind } from './lab/deployment/deployment.ts';
import { chooseTarget } from './lab/deployment/start.ts';
import { findRun } from './lab/records/find-run.ts';
import { type Run, readRun } from './lab/records/schema.ts';
import { comparisonReport } from './lab/report/comparison.ts';
import { terminalReport } from './lab/report/terminal.ts';
import type { Procedure } from './lab/shapes/procedure.ts';
import { InputError } from './lab/shapes/run-plan.ts';
import { experiments, findByShortName, findExperiment, procedures } from './registry.ts';

type RunFlags = {
  stage?: string[];
  trials?: number;
  loads?: number[];
  seed: number;
  target?: TargetKind;
  serverCpus?: number;
  serverMemoryMb?: number;
  loadtestCpus?: number;
  loadtestMemoryMb?: number;
  measureSeconds?: number;
  warmUpSeconds?: number;
  set?: Record<string, string>;
  results: string;
  metricsPort?: number;
  scrapeHost: string;
  targetsFile?: string;
};

/** Where the committed prometheus.yml looks for the targets of a running experiment. */
const targetsFile = join(import.meta.dirname, '..', 'prometheus', 'targets', 'lab.json');

/** One Ctrl-C arrives twice under npm, which passes it on, and a closing terminal sends two signals at once. */
const insistAfterMs = 1000;

/** Aborted by the first Ctrl-C; a second one ends the process at once, and its children with it. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) firstAtMs = performance.now();
      else if (performance.now() - firstAtMs > insistAfterMs) process.exit(130);
      controller.abort(new Error(`interrupted by ${signal}`));
    });
  }
  // A terminal that was closed, or a pipe whose reader left: nobody waits for the rest, and what is known is kept.
  process.stdout.on('error', () => controller.abort(new Error('nobody reads the output any more')));
  return controller.signal;
}

function program(): Command {
  const command = new Command('npm run experiment --')
    .description('Asks how much chat each stage of the server carries, and what stops it.')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  addRun(command);
  command
    .command('list')
    .description('the experiments and their questions')
    .action(() => {
      for (const { name, question } of [...experiments, ...procedures])
        console.log(`${name.padEnd(18)}${question}`);
    });
  command
    .command('report')
    .description('remake the reports of a run from its files: a table here, HTML and Markdown beside them')
    .argument('[run]', 'result directory, kept .json file, or name of a run (default: the newest)')
    .option('--keep', 'also put the run into the repository, and refresh REPORT.md and the finding', false)
    .option('--refresh', 'only refresh every REPORT.md and the finding from the kept runs', false)
    .option('--results <dir>', 'where result directories are', 'results')
    .action(async (run: string | undefined, flags: { keep: boolean; refresh: boolean; results: string }) => {
      const { refreshCommand, reportCommand } = await import('./lab/commands/report.ts');
      if (flags.refresh) refreshCommand();
      else reportCommand(run, flags.results, flags.keep);
    });
  command
    .command('compare')
    .description('is b better or worse than a, or is it noise? exit code 1 on worse')
    .argument('<a>', 'result directory, kept .json file, or name of a run')
    .argument('<b>', 'the same, of the same experiment')
    .option('--results <dir>', 'where result directories are', 'results')
    .action(compare);
  command
    .command('doctor')
    .description('what this machine can and cannot run, and why')
    .action(async () => {
      const diagnoses = await diagnose();
      for (const { subject, state, text } of diagnoses)
        console.log(`${state.padEnd(8)}${subject.padEnd(14)}${text}`);
      process.exitCode = doctorExitCode(diagnoses);
    });
  return command;
}

function compare(nameA: string, nameB: string, flags: { results: string }): void {
  const [a, b] = [nameA, nameB].map((name) => readRun(findRun(name, flags.results))) as [Run, Run];
  if (a.record.experiment !== b.record.experiment) {
    const given = `${a.record.experiment} and ${b.record.experiment}`;
    throw new InputError([`Compare runs of one experiment: required the same twice; given ${given}.`]);
  }
  const rows = compareRuns(a, b);
  console.log(comparisonReport(rows));
  if (rows.some(({ verdict, decides }) => decides && verdict === 'worse')) process.exitCode = 1;
}

function addRun(command: Command): void {
  command
    .command('run', { isDefault: true })
    .description('run an experiment; without a name, 001-ladder')
    .argument(
      '[name]',
      'full name, number or word of an experiment, such as 001-ladder, 1 or ladder',
      '001-ladder',
    )
    .option('--stage <names>', 'only these stages; repeat or separate with commas', collectNames)
    .option('--trials <n>', 'confirmations of a capacity, or repetitions of a fixed load', positiveInteger)
    .option('--loads <n,n>', 'try exactly these loads instead of searching', collectLoads)
    .option('--seed <n>', 'seed of payloads and schedules', positiveInteger, 1)
    .option('--target <kind>', 'process or container', targetKind)
    .option('--server-cpus <cores>', 'CPU quota of each server container', positiveNumber)
    .option('--server-memory-mb <MiB>', 'memory limit of each server container', positiveInteger)
    .option('--loadtest-cpus <cores>', 'CPU quota of the simulator container', positiveNumber)
    .option('--loadtest-memory-mb <MiB>', 'memory limit of the simulator container', positiveInteger)
    .option('--measure-seconds <s>', 'length of the measure phase', positiveNumber)
    .option('--warm-up-seconds <s>', 'length of the warm-up', positiveNumber)
    .option(
      '--set <flag=value>',
      'a flag of the server for every variant, e.g. segment-bytes=65536',
      collectSettings,
    )
    .option('--results <dir>', 'where result directories are made', 'results')
    .option(
      '--metrics-port <port>',
      'serve the running phase to Prometheus here, the simulator on the next port; 0 for neither (default: 9470 if free)',
      port,
    )
    .option('--scrape-host <name>', 'name under which Prometheus reaches this machine', '127.0.0.1')
    .option('--targets-file <path>', 'file_sd file for Prometheus (default: prometheus/targets/lab.json)')
    .action(run);
}

async function runProcedure(procedure: Procedure, flags: RunFlags): Promise<void> {
  console.log(`${procedure.name}: ${procedure.question}`);
  const options = { repetitions: flags.trials, resultsDirectory: flags.results, print: console.log };
  const outcome = await procedure.run(options, interruption());
  console.log(`\n${outcome.text}\n\nresult: ${outcome.path}`);
  process.exitCode = outcome.exitCode;
}

async function run(name: string, flags: RunFlags): Promise<void> {
  const procedure = findByShortName(procedures, name);
  if (procedure !== undefined) return runProcedure(procedure, flags);
  const experiment = findExperiment(name);
  if (experiment === undefined) {
    const names = [...experiments, ...procedures].map((one) => one.name).join(', ');
    throw new InputError([`Name an experiment: required one of ${names}; given ${name}.`]);
  }
  const signal = interruption();
  const limits = {
    serverCpus: flags.serverCpus,
    serverMemoryMb: flags.serverMemoryMb,
    loadtestCpus: flags.loadtestCpus,
    loadtestMemoryMb: flags.loadtestMemoryMb,
  };
  const { stage, trials, loads, measureSeconds, warmUpSeconds } = flags;
  const outcome = await runCommand(
    {
      experiment,
      target: await chooseTarget(flags.target, experiment.target),
      // Limits are for containers only; who sets one has asked for them.
      targetIsDefault:
        flags.target === undefined &&
        experiment.target === undefined &&
        Object.values(limits).every((limit) => limit === undefined),
      seed: flags.seed,
      resultsDirectory: flags.results,
      overrides: {
        stages: stage ?? [],
        trials,
        loads,
        measureSeconds,
        warmUpSeconds,
        settings: flags.set ?? {},
        limits,
      },
      metricsPort: flags.metricsPort,
      scrapeHost: flags.scrapeHost,
      targetsFile: flags.targetsFile ?? targetsFile,
    },
    signal,
  );
  console.log(`\n${terminalReport(outcome)}`);
  // Plots take a noticeable time to load, and most commands draw none.
  const { writeReports } = await import('./lab/report/write.ts');
  console.log(`\nreport: ${writeReports(outcome, `${flags.results}/${outcome.record.run}`)}`);
  process.exitCode = exitCodeOf(outcome);
}

function collectNames(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(',').filter((name) => name !== '')];
}

function collectLoads(value: string, before: number[] = []): number[] {
  return [...before, ...value.split(',').map(positiveInteger)];
}

function collectSettings(value: string, before: Record<string, string> = {}): Record<string, string> {
  const [, flag, setting] = /^(?:--)?([a-z][a-z-]*)=(.*)$/.exec(value) ?? [];
  if (flag === undefined || setting === undefined) {
    throw new InvalidArgumentError(`Required flag=value, e.g. segment-bytes=65536; given ${value}.`);
  }
  return { ...before, [flag]: setting };
}

function positiveInteger(value: string): number {
  if (!/^[1-9]\d*$/.test(value))
    throw new InvalidArgumentError(`Required a whole number above 0; given ${value}.`);
  return Number(value);
}

function port(value: string): number {
  if (!/^\d+$/.test(value) || Number(value) > 65_534) {
    throw new InvalidArgumentError(`Required 0 to 65534; given ${value}.`);
  }
  return Number(value);
}

function positiveNumber(value: string): number {
  if (!(Number(value) > 0)) throw new InvalidArgumentError(`Required a number above 0; given ${value}.`);
  return Number(value);
}

function targetKind(value: string): TargetKind {
  if (value === 'process' || value === 'container') return value;
  throw new InvalidArgumentError(`Required process or container; given ${value}.`);
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof InputError) {
    console.error(error.message);
    process.exitCode = 2;
  } else {
    // A bug, of the lab or of what it started: whatever was measured is void.
    console.error(error);
    process.exitCode = 3;
  }
}

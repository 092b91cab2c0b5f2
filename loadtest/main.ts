/** The simulator as a command: options → assignment → steps → results → exit code. */
import { createInterface } from 'node:readline';
import { CommanderError } from 'commander';
import { interruptedCode, interruption } from '#host/interruption.ts';
import { tellStrayVariables } from '#host/stray-variables.ts';
import { WriteError } from '#host/whole-file.ts';
import type { Assignment } from './model/assignment.ts';
import { checkOptions, newCommand, type Options } from './options.ts';
import { checkStep, resolveAssignment, resolveWorkload } from './resolve.ts';
import { conclude } from './result/conclude.ts';
import { encodeEvent, parseCommand, type StepQuantities } from './result/control.ts';
import { readEnvironment } from './result/environment.ts';
import { hopelessTest } from './result/hopeless.ts';
import { upperBoundOf } from './result/limits.ts';
import { clearLine, newProgress } from './result/progress.ts';
import { publish } from './result/publish.ts';
import type { LoadtestResult } from './result/schema.ts';
import { Coordinator, type StepOptions } from './run/coordinator.ts';
import { Metrics, type MetricsServer, serveMetrics } from './run/metrics.ts';
import { RunError } from './run/run-error.ts';
import type { Workload } from './workload.ts';

const exitCode = {
  pass: 0,
  fail: 1,
  input: 2,
  undetermined: 3,
  void: 3,
  unwritten: 4,
  interrupted: interruptedCode,
} as const;

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === 'number') return options;
  const { origin, token } = options;
  const { assignment, problems } = await resolveAssignment(options.workload, options.steps, {
    ...(origin !== undefined && { Origin: origin }),
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  });
  if (problems.length > 0) return refuse(problems);
  const metrics = new Metrics({ stage: options.stage, p99LimitMs: upperBoundOf('p99', options.limits) });
  const server = await tryServe(metrics, options);
  if (typeof server === 'string') return refuse([server]);
  using _server = server;
  await using coordinator = new Coordinator(assignment, [
    newProgress(styleOf(options), progressStream(options)),
    metrics,
  ]);
  interruption().addEventListener('abort', () => coordinator.interrupt());
  try {
    return await run(coordinator, assignment, options);
  } catch (error) {
    if (styleOf(options) === 'tty') progressStream(options).write(clearLine);
    if (error instanceof WriteError) {
      console.error(`The result could not be written to ${error.message}`);
      return exitCode.unwritten;
    }
    if (!(error instanceof RunError)) throw error;
    console.error(error.message);
    return exitCode[error.kind];
  } finally {
    if (options.isControlled) process.stdin.destroy();
  }
}

/** Runs all steps and publishes their results. Returns the exit code of the worst step. */
async function run(coordinator: Coordinator, assignment: Assignment, options: Options): Promise<number> {
  const environment = readEnvironment();
  const { workers } = assignment.workload;
  const measure: Measure = async (step, { abortOnFail = false, ...how }) => {
    const workload = resolveWorkload({ ...options.workload, ...step }, workers);
    const isHopeless = abortOnFail ? hopelessTest(options.limits, workload) : undefined;
    const outcome = await coordinator.step(workload, { ...how, isHopeless });
    return conclude(outcome, options.limits, options.health, environment);
  };
  await coordinator.connect();
  const results = options.isControlled
    ? await runCommands(coordinator, options.workload, measure)
    : await runList(options.steps, measure);
  await coordinator.finish();
  if (!options.isControlled)
    await publish(results, {
      style: styleOf(options),
      stream: progressStream(options),
      json: options.json,
      hasSteps: options.steps.length > 1,
    });
  if (results.at(-1)?.interrupted) return exitCode.interrupted;
  return Math.max(exitCode.pass, ...results.map((result) => exitCode[result.verdict]));
}

type Measure = (
  step: Partial<StepQuantities>,
  how: Omit<StepOptions, 'isHopeless'> & { abortOnFail?: boolean },
) => Promise<LoadtestResult>;

async function runList(steps: Options['steps'], measure: Measure): Promise<LoadtestResult[]> {
  const results: LoadtestResult[] = [];
  for (const [index, step] of steps.entries()) {
    if (results.at(-1)?.interrupted) break;
    results.push(await measure(step, { isLast: index === steps.length - 1 }));
  }
  return results;
}

/** Runs a step for each command, until `end`, the end of the input, or an interruption. */
async function runCommands(
  coordinator: Coordinator,
  workload: Workload,
  measure: Measure,
): Promise<LoadtestResult[]> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const results: LoadtestResult[] = [];
  while (!results.at(-1)?.interrupted) {
    const line = await coordinator.idleUntil(lines.next());
    if (line.done) break;
    try {
      const command = parseCommand(line.value);
      if (command.command === 'end') break;
      const { command: _, reconnect, last: isLast = false, abortOnFail = false, ...step } = command;
      const problems = checkStep({ ...workload, ...step });
      if (problems.length > 0) throw new Error(problems.join('; '));
      results.push(await measure(step, { isLast, reconnect, abortOnFail }));
      process.stdout.write(encodeEvent({ event: 'step', result: results.at(-1)! }));
    } catch (error) {
      if (error instanceof RunError) throw error;
      process.stdout.write(encodeEvent({ event: 'refused', reason: (error as Error).message }));
    }
  }
  return results;
}

function readOptions(argv: string[]): Options | number {
  const command = newCommand().exitOverride();
  try {
    command.parse(argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.pass : exitCode.input;
    throw error;
  }
  const known = command.options.flatMap(({ envVar }) => envVar ?? []);
  const stray = tellStrayVariables('LOADTEST_', known, process.env);
  if (stray !== undefined) console.error(stray);
  const { options, problems } = checkOptions(command);
  return problems.length === 0 ? options : refuse(problems);
}

/** Serves the metrics if that was asked for. A string says why that is not possible. */
async function tryServe(metrics: Metrics, options: Options): Promise<MetricsServer | undefined | string> {
  const { metricsHost: host, metricsPort: port } = options;
  if (port === undefined) return undefined;
  try {
    const server = await serveMetrics(metrics.registry, host, port);
    console.error(`metrics: http://${host}:${server.port}/metrics`);
    return server;
  } catch (error) {
    return `--metrics-port ${port} on ${host} cannot be used: ${(error as Error).message}`;
  }
}

function refuse(problems: readonly string[]): number {
  for (const problem of problems) console.error(problem);
  console.error('Nothing was started. Try --help.');
  return exitCode.input;
}

function styleOf(options: Options) {
  if (options.isControlled) return 'json';
  if (options.progress !== 'auto') return options.progress;
  return progressStream(options).isTTY ? 'tty' : 'plain';
}

/** Standard output holds only the result if that was asked for. */
function progressStream(options: Options): NodeJS.WriteStream {
  return options.json === '-' ? process.stderr : process.stdout;
}

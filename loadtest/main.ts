/** The simulator as a command: options → assignment → steps → results → exit code. */
import { createInterface } from 'node:readline';
import { CommanderError } from 'commander';
import { interruptedCode, interruption } from '#host/interruption.ts';
import { translateOldNames } from '#host/old-names.ts';
import { redact } from '#host/secrets.ts';
import { tellStrayVariables } from '#host/stray-variables.ts';
import { WriteError } from '#host/whole-file.ts';
import { tell } from '#host/wrapped.ts';
import type { Assignment } from './model/assignment.ts';
import { prefix } from './option-values.ts';
import { checkOptions, newCommand, type Options } from './options.ts';
import type { LiveRun } from './page/live-run.ts';
import { checkStep, resolveAssignment, resolveWorkload } from './resolve.ts';
import { differencesFrom } from './result/baseline.ts';
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
  const { baseline } = options;
  if (problems.length === 0 && baseline !== undefined) {
    const { workers } = assignment.workload;
    const workloads = options.steps.map((step) => resolveWorkload({ ...options.workload, ...step }, workers));
    problems.push(...differencesFrom(baseline, workloads, readEnvironment()));
  }
  if (problems.length > 0) return refuse(problems);
  const metrics = new Metrics({ stage: options.stage, p99LimitMs: upperBoundOf('p99', options.limits) });
  const server = await tryServe(metrics, options);
  if (typeof server === 'string') return refuse([server]);
  using _server = server;
  const page = await tryOpenPage(options);
  if (typeof page === 'string') return refuse([page]);
  await using live = page;
  const shown = [newProgress(styleOf(options), progressStream(options)), metrics];
  await using coordinator = new Coordinator(assignment, live === undefined ? shown : [...shown, live]);
  interruption().addEventListener('abort', () => coordinator.interrupt());
  try {
    return await run(coordinator, assignment, options, live);
  } catch (error) {
    if (styleOf(options) === 'tty') progressStream(options).write(clearLine);
    if (error instanceof WriteError) {
      tell(`The result could not be written to ${error.message}`);
      return exitCode.unwritten;
    }
    if (!(error instanceof RunError)) throw error;
    tell(error.message);
    return exitCode[error.kind];
  } finally {
    if (options.isControlled) process.stdin.destroy();
  }
}

/** Runs all steps and publishes their results. Returns the exit code of the worst step. */
async function run(
  coordinator: Coordinator,
  assignment: Assignment,
  options: Options,
  live: LiveRun | undefined,
): Promise<number> {
  const environment = readEnvironment();
  const { workers } = assignment.workload;
  const measure: Measure = async (step, { abortOnFail = false, ...how }) => {
    const workload = resolveWorkload({ ...options.workload, ...step }, workers);
    const isHopeless = abortOnFail ? hopelessTest(options.limits, workload) : undefined;
    const outcome = await coordinator.step(workload, { ...how, isHopeless });
    const result = conclude(outcome, options.limits, options.health, environment);
    live?.stepEnded(result);
    return result;
  };
  await coordinator.connect();
  const results = options.isControlled
    ? await runCommands(coordinator, options.workload, measure)
    : await runList(options, measure);
  await coordinator.finish();
  let isWorse = false;
  if (!options.isControlled)
    ({ isWorse } = await publish(results, {
      ...options,
      style: styleOf(options),
      stream: progressStream(options),
      report: options.html === undefined ? undefined : await reportOf(options.html, results),
      hasSteps: options.steps.length > 1,
    }));
  if (results.length > 0) await live?.ended(results);
  if (results.at(-1)?.interrupted) return exitCode.interrupted;
  return Math.max(
    isWorse ? exitCode.fail : exitCode.pass,
    ...results.map((result) => exitCode[result.verdict]),
  );
}

async function reportOf(path: string, results: readonly LoadtestResult[]) {
  const { resultDocument } = await import('./page/result-page.ts');
  return { path, html: resultDocument(results) };
}

type Measure = (
  step: Partial<StepQuantities>,
  how: Omit<StepOptions, 'isHopeless'> & { abortOnFail?: boolean },
) => Promise<LoadtestResult>;

async function runList({ steps, abortOnFail }: Options, measure: Measure): Promise<LoadtestResult[]> {
  const results: LoadtestResult[] = [];
  for (const [index, step] of steps.entries()) {
    const last = results.at(-1);
    if (last?.interrupted || (abortOnFail && last?.verdict === 'fail')) break;
    results.push(await measure(step, { isLast: index === steps.length - 1, abortOnFail }));
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
  const isKnown = (name: string) => newCommand().options.some(({ long }) => long === `--${name}`);
  const translated = translateOldNames(prefix, argv, process.env, isKnown);
  // The command reads the environment when it is made.
  const command = newCommand().exitOverride();
  // Told before anything can be refused: a variable that was misspelt may be the cause.
  const known = command.options.flatMap(({ envVar }) => envVar ?? []);
  const stray = tellStrayVariables(prefix, known, process.env);
  for (const line of [translated.warning, stray]) if (line !== undefined) tell(line);
  try {
    command.parse(translated.argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.pass : exitCode.input;
    throw error;
  }
  const { options, problems } = checkOptions(command);
  return problems.length === 0 ? options : refuse(problems);
}

/** Serves the metrics if that was asked for. A string says why that is not possible. */
async function tryServe(metrics: Metrics, options: Options): Promise<MetricsServer | undefined | string> {
  const { metricsHost: host, metricsPort: port } = options;
  if (port === undefined) return undefined;
  try {
    const server = await serveMetrics(metrics.registry, host, port);
    tell(`metrics: http://${host}:${server.port}/metrics`);
    return server;
  } catch (error) {
    return `--metrics-port ${port} on ${host} cannot be used: ${(error as Error).message}`;
  }
}

/** Opens the live page if that was asked for. A string says why that is not possible. */
async function tryOpenPage(options: Options): Promise<LiveRun | undefined | string> {
  const { livePort: port, workload, steps, limits } = options;
  if (port === undefined) return undefined;
  const [{ LivePage }, { LiveRun }, { newState }] = await Promise.all([
    import('./page/live-page.ts'),
    import('./page/live-run.ts'),
    import('./page/result-page.ts'),
  ]);
  const expressions = limits.map(({ expression }) => expression);
  try {
    const page = await LivePage.open(port, newState(workload.urls.map(redact), expressions));
    tell(`live: ${page.url}`);
    return new LiveRun(page, options.isControlled ? null : plannedSeconds(workload, steps));
  } catch (error) {
    return `--live ${port} cannot be used: ${(error as Error).message}`;
  }
}

/** Of all steps; only the last drain takes its full time. */
function plannedSeconds(workload: Workload, steps: Options['steps']): number {
  const ofStep = (step: Partial<StepQuantities>) =>
    (step.warmUpSeconds ?? workload.warmUpSeconds) + (step.durationSeconds ?? workload.durationSeconds);
  return steps.reduce((total, step) => total + ofStep(step), workload.drainSeconds);
}

function refuse(problems: readonly string[]): number {
  for (const problem of problems) tell(problem);
  tell('Nothing was started. Try --help.');
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

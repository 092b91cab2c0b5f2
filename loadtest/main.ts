/** The load test as a command: options → plan → run → result → exit code. */
import { randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import os from 'node:os';
import { CommanderError } from 'commander';
import type { Plan, Target } from './model/assignment.ts';
import { runIdMax } from './model/stamp.ts';
import { checkOptions, newCommand, type Options } from './options.ts';
import { conclude } from './result/conclude.ts';
import { readCgroup, readEnvironment, readEphemeralPorts, readFilesMax } from './result/environment.ts';
import { newProgress } from './result/progress.ts';
import { type LoadtestResult, writeResult } from './result/schema.ts';
import { formatSummary } from './result/summary.ts';
import { Coordinator } from './run/coordinator.ts';
import { Metrics, type MetricsServer, serveMetrics } from './run/metrics.ts';
import { RunError } from './run/run-error.ts';
import { coresToFill, planWorkers } from './run/sizing.ts';

const exitCode = { pass: 0, fail: 1, input: 2, void: 3, interrupted: 130 } as const;
/** Bound of the reference streams of one worker: 13 s of 20,000 messages/s of 128 B; who is further behind is read frame by frame. */
const referenceBytesMax = 64 * 2 ** 20;
/**
 * Of the warm-up; the rest of it is at the full rate, so that what is measured has settled. 03-cursor at 15,000 messages/s,
 * four runs each: p99 38 to 51 ms with three quarters of 2 s, 70 to 114 ms with half, 93 to 170 ms with three quarters of 1 s.
 */
const rampShare = 0.75;

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === 'number') return options;
  const plan = await newPlan(options);
  if (typeof plan === 'number') return plan;

  const metrics = new Metrics(options.workload.ratePerSecond);
  const server = await tryServe(metrics, options);
  if (typeof server === 'string') return refuse([server]);
  using _server = server;
  const progress = newProgress(styleOf(options), plan.timeline, progressStream(options));
  const coordinator = new Coordinator(plan, [progress, metrics]);
  let interrupts = 0;
  const interrupt = () => {
    if (++interrupts > 1) process.exit(exitCode.interrupted);
    coordinator.interrupt();
  };
  process.on('SIGINT', interrupt);
  // How a container engine or a service manager says the same.
  process.on('SIGTERM', interrupt);
  try {
    const outcome = await coordinator.run();
    const result = conclude(plan, outcome, options.limits, options.health, readEnvironment());
    publish(options, result);
    return result.interrupted ? exitCode.interrupted : exitCode[result.verdict];
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    console.error(error.message);
    return exitCode[error.kind];
  }
}

/** Serves the metrics where that was asked for; a string says why it is not possible. */
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

function readOptions(argv: string[]): Options | number {
  const command = newCommand().exitOverride();
  try {
    command.parse(argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.pass : exitCode.input;
    throw error;
  }
  const { options, problems } = checkOptions(command.opts());
  return problems.length === 0 ? options : refuse(problems);
}

async function newPlan({ workload, ...options }: Options): Promise<Plan | number> {
  const cgroup = readCgroup();
  const warmUpUs = Math.round(workload.warmUpSeconds * 1e6);
  const measureUs = Math.round(workload.durationSeconds * 1e6);
  const { workers, problems } = planWorkers(
    {
      ...workload,
      urls: workload.urls.length,
      sourceAddresses: workload.sourceAddresses.length,
      seconds: (warmUpUs + measureUs) / 1e6,
    },
    {
      filesMax: readFilesMax(),
      portsPerAddress: readEphemeralPorts(),
      auditBytesMax: Math.min(os.freemem(), cgroup.memoryBytes ?? Number.POSITIVE_INFINITY) / 2,
      cores: coresToFill(os.availableParallelism(), os.cpus().length),
    },
  );
  const targets = await Promise.all(workload.urls.map((url) => resolveTarget(url, problems)));
  if (problems.length > 0) return refuse(problems);
  return {
    ...workload,
    urls: [...workload.urls],
    sourceAddresses: [...workload.sourceAddresses],
    connectTimeoutMs: workload.connectTimeoutSeconds * 1000,
    probeTimeoutMs: workload.probeTimeoutSeconds * 1000,
    targets,
    // Even; the odd number after it marks the probes. Not from the seed: two runs must not take each other's messages.
    runId: randomInt((runIdMax + 1) / 2) * 2,
    headers: [
      ...(options.origin === undefined ? [] : [`Origin: ${options.origin}`]),
      ...(options.token === undefined ? [] : [`Authorization: Bearer ${options.token}`]),
    ],
    sendersPerRoom: Math.min(
      workload.sendersPerRoom ?? workload.clients,
      Math.ceil(workload.clients / workload.rooms),
    ),
    workers,
    schedule: { ...workload, rampUs: warmUpUs * rampShare, endUs: warmUpUs + measureUs },
    timeline: { warmUpUs, measureUs, drainUs: Math.round(workload.drainSeconds * 1e6) },
    referenceBytesMax,
  };
}

/** Looks the host up once for all; a name that leads nowhere is one more problem. */
async function resolveTarget(text: string, problems: string[]): Promise<Target> {
  const url = new URL(text);
  const port = Number(url.port || 80);
  try {
    const { address } = await lookup(url.hostname.replace(/^\[|\]$/g, ''));
    return { address, port };
  } catch (error) {
    problems.push(`--url ${text} names a host that cannot be found: ${(error as Error).message}`);
    return { address: '', port };
  }
}

function refuse(problems: readonly string[]): number {
  for (const problem of problems) console.error(problem);
  console.error('Nothing was started. Try --help.');
  return exitCode.input;
}

function styleOf(options: Options) {
  if (options.progress !== 'auto') return options.progress;
  return progressStream(options).isTTY ? 'tty' : 'plain';
}

/** Standard output belongs to the result where that was asked for. */
function progressStream(options: Options): NodeJS.WriteStream {
  return options.json === '-' ? process.stderr : process.stdout;
}

function publish(options: Options, result: LoadtestResult): void {
  if (options.json !== undefined) writeResult(options.json, result);
  if (options.progress !== 'none' && options.progress !== 'json')
    progressStream(options).write(formatSummary(result));
}

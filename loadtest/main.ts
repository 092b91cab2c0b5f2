/** The simulator as a command: options → assignment → run → result → exit code. */
import { randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import os from 'node:os';
import { CommanderError } from 'commander';
import { readCgroup } from '#host/cgroup.ts';
import type { Address, Assignment } from './model/assignment.ts';
import { runIdMax } from './model/stamp.ts';
import { checkOptions, newCommand, type Options } from './options.ts';
import { timelineOf } from './record/recorder.ts';
import { conclude } from './result/conclude.ts';
import { readEnvironment, readEphemeralPorts, readFilesMax } from './result/environment.ts';
import { newProgress } from './result/progress.ts';
import { type LoadtestResult, writeResult } from './result/schema.ts';
import { formatSummary } from './result/summary.ts';
import { Coordinator } from './run/coordinator.ts';
import { Metrics, type MetricsServer, serveMetrics } from './run/metrics.ts';
import { RunError } from './run/run-error.ts';
import { coresToFill, planWorkers } from './run/sizing.ts';

const exitCode = { pass: 0, fail: 1, input: 2, void: 3, interrupted: 130 } as const;

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === 'number') return options;
  const assignment = await newAssignment(options);
  if (typeof assignment === 'number') return assignment;

  const metrics = new Metrics(options.workload.ratePerSecond);
  const server = await tryServe(metrics, options);
  if (typeof server === 'string') return refuse([server]);
  using _server = server;
  const progress = newProgress(styleOf(options), timelineOf(options.workload), progressStream(options));
  const coordinator = new Coordinator(assignment, [progress, metrics]);
  let interrupts = 0;
  const interrupt = () => {
    if (++interrupts > 1) process.exit(exitCode.interrupted);
    coordinator.interrupt();
  };
  process.on('SIGINT', interrupt);
  // Container engines and service managers send SIGTERM instead.
  process.on('SIGTERM', interrupt);
  try {
    const outcome = await coordinator.run();
    const result = conclude(assignment, outcome, options.limits, options.health, readEnvironment());
    publish(options, result);
    return result.interrupted ? exitCode.interrupted : exitCode[result.verdict];
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    console.error(error.message);
    return exitCode[error.kind];
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

/** Resolves the workload for this machine, or returns an exit code if it does not fit. */
async function newAssignment({ workload, origin, token }: Options): Promise<Assignment | number> {
  const memoryBytesMax = readCgroup()?.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  const { workers, problems } = planWorkers(workload, {
    filesMax: readFilesMax(),
    portsPerAddress: readEphemeralPorts(),
    auditBytesMax: Math.min(os.freemem(), memoryBytesMax) / 2,
    cores: coresToFill(os.availableParallelism(), os.cpus().length),
  });
  const addresses = await Promise.all(workload.urls.map((url) => addressOf(url, problems)));
  if (problems.length > 0) return refuse(problems);
  const { clients, rooms, sendersPerRoom = clients } = workload;
  return {
    workload: { ...workload, workers, sendersPerRoom: Math.min(sendersPerRoom, Math.ceil(clients / rooms)) },
    // Not from the seed: two runs at the same time must not take each other's messages for their own.
    runId: randomInt((runIdMax + 1) / 2) * 2,
    addresses,
    headers: {
      ...(origin !== undefined && { Origin: origin }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
  };
}

/** Looks up the host of a URL. A host that cannot be found is one more problem. */
async function addressOf(url: string, problems: string[]): Promise<Address> {
  const { hostname, port } = new URL(url);
  try {
    const { address } = await lookup(hostname.replace(/^\[|\]$/g, ''));
    return { address, port: Number(port || 80) };
  } catch (error) {
    problems.push(`--url ${url} names a host that cannot be found: ${(error as Error).message}`);
    return { address: '', port: 0 };
  }
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
  if (options.progress !== 'auto') return options.progress;
  return progressStream(options).isTTY ? 'tty' : 'plain';
}

/** Standard output holds only the result if that was asked for. */
function progressStream(options: Options): NodeJS.WriteStream {
  return options.json === '-' ? process.stderr : process.stdout;
}

function publish(options: Options, result: LoadtestResult): void {
  if (options.json !== undefined) writeResult(options.json, result);
  if (options.progress !== 'none' && options.progress !== 'json')
    progressStream(options).write(formatSummary(result));
}

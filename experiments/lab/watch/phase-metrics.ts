/** Metrics of a running trial for Prometheus: its phase, and a file_sd file with the addresses to scrape. */
import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';
import { Gauge, Registry } from 'prom-client';
import { makeDirectory, WriteError, writeFault, writeWhole } from '#host/whole-file.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { InputError } from '../input-error.ts';
import type { TrialTitle } from '../trial/trial.ts';
import { exportUsage } from './usage-metrics.ts';

/** Every phase of a trial; a closed set, so that the gauge has one series for each. */
const phases = ['start', 'verify', 'accounts', 'connect', 'probe', 'warm-up', 'measure', 'drain', 'stop'];

type PhaseMetricsOptions = {
  experiment: string;
  metricsPort: number;
  /** Where Prometheus reaches this machine; anything but 127.0.0.1 makes the port listen on every address. */
  scrapeHost: string;
  targetsFile: string;
};

const defaultPort = 9470;

/** A listening exporter; disposing it closes the port and empties the targets file. */
export class PhaseMetrics implements AsyncDisposable {
  readonly #options: PhaseMetricsOptions;
  readonly #registry = new Registry();
  readonly #phase: Gauge;
  readonly #trial: Gauge;
  readonly #server: Server;
  readonly #print: (line: string) => void;
  #deployment: Deployment | null = null;
  /** `2026-01-02 03:04:05` in UTC: people know a run by its start. */
  readonly #startedAt = new Date().toISOString().slice(0, 19).replace('T', ' ');

  readonly port: number;

  constructor(options: PhaseMetricsOptions, print: (line: string) => void = () => {}) {
    this.#options = options;
    this.#print = print;
    this.port = options.metricsPort;
    this.#server = createServer(async (request, response) => {
      if (request.url !== '/metrics') return response.writeHead(404).end();
      const text = await this.#registry.metrics();
      return response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text);
    });
    const registers = [this.#registry];
    this.#phase = new Gauge({
      name: 'lab_phase',
      help: '1 for the phase that the running trial is in, 0 for every other.',
      labelNames: ['phase'],
      registers,
    });
    this.#trial = new Gauge({
      name: 'lab_trial_info',
      help: 'Number of the running trial, by start of its run, variant and purpose; absent between runs.',
      labelNames: ['experiment', 'run', 'variant', 'stage', 'purpose'],
      registers,
    });
    for (const phase of phases) this.#phase.set({ phase }, 0);
    exportUsage(this.#registry, () => this.#deployment?.latestUsage() ?? []);
  }

  /**
   * Null when the port listens; else why it, or the simulator's port after it, is not free, or the targets
   * file cannot be written.
   */
  async listen(): Promise<string | null> {
    const unwritable = targetsFault(this.#options.targetsFile);
    if (unwritable !== null) return unwritable;
    const { scrapeHost } = this.#options;
    const host = scrapeHost === '127.0.0.1' ? scrapeHost : '0.0.0.0';
    const probe = createServer();
    const fault =
      (await tryListen(probe, this.port + 1, host)) ?? (await tryListen(this.#server, this.port, host));
    await closed(probe);
    if (fault === null) this.#writeTargets([]);
    return fault;
  }

  phase(phase: string, { variant, stage, purpose, number }: TrialTitle): void {
    for (const name of phases) this.#phase.set({ phase: name }, name === phase ? 1 : 0);
    if (phase === 'start') this.#deployment = null;
    this.#trial.reset();
    const { experiment } = this.#options;
    this.#trial.set({ experiment, run: this.#startedAt, variant, stage, purpose }, number);
  }

  /** Writes the addresses of the trial into the file; Prometheus reads it again by itself. */
  started(deployment: Deployment, simulatorAddress: string | null): void {
    const { stage, nodes, balancer, media } = deployment;
    this.#deployment = deployment;
    const servers = nodes.map(({ name, scrapeAddress }) => ({
      targets: [scrapeAddress],
      labels: { job: 'server', stage, node: name },
    }));
    const proxies = balancer === null ? [] : [balancer.scrapeAddress];
    const medias = media === null ? [] : [media.scrapeAddress];
    const simulators = simulatorAddress === null ? [] : [simulatorAddress];
    this.#writeTargets([
      ...servers,
      ...proxies.map((address) => ({ targets: [address], labels: { job: 'haproxy', stage } })),
      ...medias.map((address) => ({ targets: [address], labels: { job: 'media', stage, node: 'media' } })),
      ...simulators.map((address) => ({ targets: [address], labels: { job: 'loadtest', stage } })),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    this.#write('[]\n');
    await closed(this.#server);
  }

  #writeTargets(entries: readonly unknown[]): void {
    const { scrapeHost } = this.#options;
    const lab = { targets: [`${scrapeHost}:${this.port}`], labels: { job: 'lab' } };
    this.#write(`${JSON.stringify([lab, ...entries], null, 2)}\n`);
  }

  /** Prometheus may read at any moment. That it reads nothing new is no reason to end a run. */
  #write(text: string): void {
    try {
      writeWhole(this.#options.targetsFile, text);
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      this.#print(`Prometheus cannot follow this run: ${error.message}`);
    }
  }
}

/**
 * Listens on the port asked for, which must be free, or on the default port if it is free. Null for port 0,
 * and where the default port is in use or the targets file cannot be written: it runs on without metrics.
 */
export async function openPhaseMetrics(
  asked: Omit<PhaseMetricsOptions, 'metricsPort'> & { metricsPort?: number | undefined },
  print: (line: string) => void,
): Promise<PhaseMetrics | null> {
  const { metricsPort = defaultPort, experiment, scrapeHost, targetsFile } = asked;
  if (metricsPort === 0) return null;
  const metrics = new PhaseMetrics({ experiment, scrapeHost, targetsFile, metricsPort }, print);
  const fault = await metrics.listen();
  if (fault === null) return metrics;
  if (asked.metricsPort !== undefined)
    throw new InputError([
      `Choose another --metrics-port or --targets-file: required the free ports ${metricsPort} and ${metricsPort + 1} and a file that can be written, or port 0 for neither; ${fault}.`,
    ]);
  print(`Prometheus cannot follow this run: ${fault}`);
  return null;
}

/** Null when it listens, else the message of the system. */
function tryListen(server: Server, port: number, host: string): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  server.once('error', (error) => resolve(error.message));
  server.listen(port, host, () => resolve(null));
  return promise;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

/** Makes the directory of the file. Null when the file can be written; else why not. */
function targetsFault(file: string): string | null {
  try {
    makeDirectory(dirname(file));
  } catch (error) {
    return (error as Error).message;
  }
  const fault = writeFault(file);
  return fault === null ? null : `the targets file ${file} cannot be written: ${fault}`;
}

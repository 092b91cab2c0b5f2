/** Lets Prometheus follow a trial: the running phase as a gauge, and a file_sd file that names where to scrape. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';
import { Gauge, Registry } from 'prom-client';
import type { Deployment } from '../deployment/deployment.ts';
import type { TrialRequest } from '../trial/trial.ts';

/** Every phase a trial goes through; a closed set, so that the gauge has one series for each. */
export const trialPhases = [
  'start',
  'verify',
  'connect',
  'probe',
  'warm-up',
  'measure',
  'drain',
  'stop',
] as const;

export type PhaseMetricsOptions = {
  experiment: string;
  metricsPort: number;
  /** Where Prometheus reaches this machine; anything but 127.0.0.1 makes the port listen on every address. */
  scrapeHost: string;
  targetsFile: string;
};

/** A listening exporter; disposing it closes the port and empties the targets file. */
export class PhaseMetrics implements AsyncDisposable {
  readonly #options: PhaseMetricsOptions;
  readonly #registry = new Registry();
  readonly #phase: Gauge;
  readonly #trial: Gauge;
  #server: Server | null = null;

  readonly port: number;

  constructor(options: PhaseMetricsOptions) {
    this.#options = options;
    this.port = options.metricsPort;
    const registers = [this.#registry];
    this.#phase = new Gauge({
      name: 'lab_phase',
      help: '1 for the phase that the running trial is in, 0 for every other.',
      labelNames: ['phase'],
      registers,
    });
    this.#trial = new Gauge({
      name: 'lab_trial_info',
      help: 'Number of the running trial, by what it tries; absent between runs.',
      labelNames: ['experiment', 'variant', 'stage', 'purpose'],
      registers,
    });
    for (const phase of trialPhases) this.#phase.set({ phase }, 0);
  }

  /** Resolves to null when the port listens, else to why it, or the simulator's next to it, cannot be had. */
  async listen(): Promise<string | null> {
    const { metricsPort, scrapeHost } = this.#options;
    const host = scrapeHost === '127.0.0.1' ? scrapeHost : '0.0.0.0';
    const probe = createServer();
    const fault =
      (await tryListen(probe, metricsPort + 1, host)) ?? (await this.#tryServe(metricsPort, host));
    await closed(probe);
    if (fault === null) this.#writeTargets([]);
    return fault;
  }

  async #tryServe(port: number, host: string): Promise<string | null> {
    const server = createServer(async (request, response) => {
      if (request.url !== '/metrics') return response.writeHead(404).end();
      const text = await this.#registry.metrics();
      return response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text);
    });
    const fault = await tryListen(server, port, host);
    if (fault === null) this.#server = server;
    return fault;
  }

  phase(phase: string, request: TrialRequest): void {
    for (const name of trialPhases) this.#phase.set({ phase: name }, name === phase ? 1 : 0);
    this.#trial.reset();
    const { variant, purpose, number } = request;
    const { experiment } = this.#options;
    this.#trial.set({ experiment, variant: variant.name, stage: variant.stage, purpose }, number);
  }

  /** Names the trial's addresses in the file; Prometheus re-reads it by itself. */
  started(target: Deployment, loadtestAddress: string | null): void {
    const servers = target.nodes.map((node) => ({
      targets: [node.scrapeAddress],
      labels: { job: 'server', stage: target.stage, node: node.name },
    }));
    const simulator = { targets: [loadtestAddress ?? ''], labels: { job: 'loadtest', stage: target.stage } };
    this.#writeTargets(loadtestAddress === null ? servers : [...servers, simulator]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server === null) return;
    writeAtomically(this.#options.targetsFile, '[]\n');
    await closed(this.#server);
  }

  #writeTargets(entries: readonly unknown[]): void {
    const lab = {
      targets: [`${this.#options.scrapeHost}:${this.#options.metricsPort}`],
      labels: { job: 'lab' },
    };
    writeAtomically(this.#options.targetsFile, `${JSON.stringify([lab, ...entries], null, 2)}\n`);
  }
}

/** Null when it listens, else the system's own words. */
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

/** Prometheus may read at any moment, and half a file is an error to it. */
function writeAtomically(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/**
 * The parent of a stage with one process per core: starts the workers on one port, brings back those that die, drains them
 * in turn, and answers for all of them on one internal port. It carries no chat itself.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AggregatorRegistry } from 'prom-client';
import { createInternalServer } from '../ops/internal-http.ts';
import { createSupervisorMetrics } from '../ops/metrics.ts';
import type { Config } from '../settings.ts';
import type { Stage } from '../stages/stage.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import type { DrainOutcome, MetricsSnapshot } from './worker-messages.ts';

// Chosen, not measured: a crash is over in a blink, a crash at every start costs next to nothing.
const restartMsMin = 100;
const restartMsMax = 5000;
/** A worker that lived so long did not die of its start. */
const healthyAfterMs = 10_000;
/** Types whose sums may only grow; prom-client names them so. */
const countingTypes = new Set(['counter', 'histogram', 'summary']);

export class Supervisor {
  readonly #config: Config;
  readonly #stage: Stage;
  readonly #log: Logger;
  readonly #workers: SupervisedWorker[] = [];
  readonly #internal: ReturnType<typeof createInternalServer>;
  readonly #metrics: ReturnType<typeof createSupervisorMetrics>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'chat-cores-'));
  /** Counters of workers that have ended, so that the sums never fall. */
  #departed: MetricsSnapshot = [];
  #draining = false;

  constructor(config: Config, stage: Stage, log: Logger) {
    this.#config = { ...config, workers: config.workers || availableParallelism() };
    this.#stage = stage;
    this.#log = log;
    this.#metrics = createSupervisorMetrics(() => this.#readyWorkers());
    const registry = { metrics: () => this.#collect(), contentType: this.#metrics.registry.contentType };
    this.#internal = createInternalServer(registry, () => this.ready);
    // Whatever ends this process short of SIGKILL, the workers' directory goes with it.
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
  }

  /** True while more than half of the workers are ready, and nobody has asked us to leave. */
  get ready(): boolean {
    return !this.#draining && this.#readyWorkers() * 2 > this.#config.workers;
  }

  get sessions(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.sessions, 0);
  }

  /** Starts all workers; rejects when the port is taken or one of them cannot start. */
  async listen(): Promise<{ chat: AddressInfo; internal: AddressInfo }> {
    const { host, port, internalHost, internalPort, workers } = this.#config;
    try {
      const chat = await reserve(host, port);
      const internal = await listening(this.#internal, internalHost, internalPort);
      for (let slot = 0; slot < workers; slot++) this.#workers.push(this.#start(slot, chat.port));
      await Promise.all(this.#workers.map((worker) => worker.listening));
      for (const worker of this.#workers) this.#watch(worker, chat.port, 0);
      return { chat, internal };
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  /**
   * Drains the workers in turn, so that only a part of the sessions is on its way at a time; resolves to the sums. Who
   * needs more than his share of the deadline goes on beside the next.
   */
  async drain(): Promise<DrainOutcome> {
    this.#draining = true;
    for (const worker of this.#workers) worker.closeDoor();
    const { drainNoticeMs, drainDeadlineMs } = this.#config;
    const endAtMs = performance.now() + drainDeadlineMs;
    await delay(Math.min(drainNoticeMs, drainDeadlineMs));
    const drained: Promise<DrainOutcome>[] = [];
    for (const worker of this.#workers) {
      const leftMs = Math.max(0, endAtMs - performance.now());
      const turn = worker.drain(leftMs);
      drained.push(turn);
      await Promise.race([turn, delay(leftMs / (this.#workers.length - drained.length + 1))]);
    }
    const outcomes = await Promise.all(drained);
    this.#stop();
    const sum = (key: keyof DrainOutcome) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
    return { closedSessions: sum('closedSessions'), cutSessions: sum('cutSessions') };
  }

  #readyWorkers(): number {
    return this.#workers.filter((worker) => worker.ready).length;
  }

  #start(slot: number, port: number): SupervisedWorker {
    const config = {
      ...this.#config,
      port,
      // Its metrics and health are asked for over the channel; the listener of its own is for nobody.
      internalHost: '127.0.0.1',
      internalPort: 0,
      drainNoticeMs: 0,
      worker: { slot, workers: this.#config.workers, directory: this.#directory },
    };
    return new SupervisedWorker(this.#stage.name, config, slot);
  }

  /** Waits for the end of a worker and puts another in its place. */
  async #watch(worker: SupervisedWorker, port: number, failures: number): Promise<void> {
    const startedAtMs = performance.now();
    const how = await worker.ended;
    if (this.#draining) return;
    const failed = performance.now() - startedAtMs < healthyAfterMs ? failures : 0;
    const restartMs = Math.min(restartMsMax, restartMsMin * 2 ** failed);
    this.#log.error({ event: 'worker ended', worker: worker.slot, pid: worker.pid, how, restartMs });
    await this.#keepCounters(worker.lastSnapshot);
    await delay(restartMs);
    if (this.#draining) return;
    this.#metrics.restarts.inc();
    const successor = this.#start(worker.slot, port);
    this.#workers[worker.slot] = successor;
    void this.#watch(successor, port, failed + 1);
    await successor.listening.then(
      () => this.#log.info({ event: 'worker restarted', worker: worker.slot, pid: successor.pid }),
      (error: Error) =>
        this.#log.error({ event: 'worker failed', worker: worker.slot, reason: error.message }),
    );
  }

  async #keepCounters(snapshot: MetricsSnapshot): Promise<void> {
    const counters = snapshot.filter(({ type }) => countingTypes.has(String(type)));
    this.#departed = await AggregatorRegistry.aggregate([this.#departed, counters]).getMetricsAsJSON();
  }

  async #collect(): Promise<string> {
    const live = await Promise.all(this.#workers.map((worker) => worker.scrape()));
    const own = await this.#metrics.registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([...live, this.#departed, own]).metrics();
  }

  #stop(): void {
    this.#draining = true;
    for (const worker of this.#workers) worker.kill();
    this.#internal.close();
    this.#internal.closeAllConnections();
  }
}

/**
 * Finds the port for all workers, a free one for 0. Listening once without `reusePort` fails where anybody else is on it:
 * with it, two servers of one user would share the connections without a word.
 */
async function reserve(host: string, port: number): Promise<AddressInfo> {
  const server = createServer();
  const address = await listening(server, host, port);
  await new Promise((resolve) => server.close(resolve));
  return address;
}

function listening(server: NetServer, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });
}

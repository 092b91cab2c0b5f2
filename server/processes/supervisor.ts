/**
 * The parent process of a stage with one process per core. It starts the workers on one port, restarts them,
 * drains them in turn, and serves health and summed metrics on one internal port. It carries no messages.
 */
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AggregatorRegistry } from 'prom-client';
import { time } from '#host/units.ts';
import type { DrainOutcome } from '../gateway/drain.ts';
import { createInternalServer } from '../ops/internal-http.ts';
import { listen } from '../ops/listen.ts';
import { createSupervisorMetrics } from '../ops/metrics.ts';
import { group, integer, type ValuesOf } from '../settings.ts';
import type { Config, Stage } from '../stages/stage.ts';
import { makeSocketDirectory, removeAbandonedDirectories } from './socket-directory.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import type { MetricsSnapshot } from './worker-messages.ts';

export const supervisorSettings = group('Workers', {
  workers: integer(0, 1024, 0, 'processes of the stages with one per core; 0: one for each core'),
  workerSilenceMsMax: integer(
    1000,
    600_000,
    10_000,
    'silence after which a worker is killed and replaced',
    time,
  ),
});

// Chosen, not measured: one crash costs a moment, and a crash at every start costs little CPU.
const restartMsMin = 100;
const restartMsMax = 5000;
/** A worker that ran for at least this long did not die of its start. */
const healthyAfterMs = 10_000;
/**
 * Silence is counted in ticks. So a supervisor that was frozen does not take its own pause for that of its
 * workers: it reads their messages before the next tick. A worker sends some in each.
 */
const tickMs = 500;
/** Time that a worker has beyond that to start; chosen, not measured. */
const startAllowanceMs = 15_000;
/** A worker that is silent for so many ticks counts as not ready. */
const unreadyTicks = 4;
/** Types of metrics whose sums may only grow, by prom-client's names. */
const countingTypes = new Set(['counter', 'histogram', 'summary']);

type SupervisorConfig = Config & ValuesOf<typeof supervisorSettings>;

export class Supervisor {
  readonly #config: SupervisorConfig;
  readonly #stage: Stage;
  readonly #log: Logger;
  readonly #workers: SupervisedWorker[] = [];
  readonly #internal: ReturnType<typeof createInternalServer>;
  readonly #metrics: ReturnType<typeof createSupervisorMetrics>;
  readonly #directory = makeSocketDirectory();
  #heartbeat: NodeJS.Timeout | undefined;
  /** Counters of workers that have ended, so that the sums never fall. */
  #countersOfEnded: MetricsSnapshot = [];
  #draining = false;

  constructor(config: SupervisorConfig, stage: Stage, log: Logger) {
    this.#config = { ...config, workers: config.workers || availableParallelism() };
    this.#stage = stage;
    this.#log = log;
    this.#metrics = createSupervisorMetrics(() => this.#readyWorkers());
    const registry = { metrics: () => this.#collect(), contentType: this.#metrics.registry.contentType };
    this.#internal = createInternalServer(registry, () => this.ready);
    // Removed however this process ends. After SIGKILL its last worker removes it, or the next supervisor.
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
  }

  /** True while more than half of the workers are ready and no drain has begun. */
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
      const chat = await findPort(host, port);
      const internal = await listen(this.#internal, { host: internalHost, port: internalPort });
      for (let number = 0; number < workers; number++) this.#workers.push(this.#start(number, chat.port));
      await Promise.all(this.#workers.map((worker) => worker.listening));
      this.#tellLive();
      this.#heartbeat = setInterval(() => this.#tick(), tickMs);
      void this.#removeAbandoned();
      for (const worker of this.#workers) this.#watch(worker, chat.port, 0);
      return { chat, internal };
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  /**
   * Drains the workers in turn, so that only a part of the sessions reconnects at a time; resolves to the
   * sums. A worker that needs more than its share of the deadline goes on beside the next one.
   */
  async drain(): Promise<DrainOutcome> {
    this.#draining = true;
    for (const worker of this.#workers) worker.stopAdmitting();
    const { drainNoticeMs, drainDeadlineMs, workers } = this.#config;
    const endAtMs = performance.now() + drainDeadlineMs;
    await sleep(Math.min(drainNoticeMs, drainDeadlineMs));
    const drained: Promise<DrainOutcome>[] = [];
    for (const [index, worker] of this.#workers.entries()) {
      const leftMs = Math.max(0, endAtMs - performance.now());
      drained.push(worker.drain(leftMs));
      await Promise.race([drained[index], sleep(leftMs / (workers - index))]);
    }
    const outcomes = await Promise.all(drained);
    this.#stop();
    const sum = (key: keyof DrainOutcome) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
    return { closedSessions: sum('closedSessions'), cutSessions: sum('cutSessions') };
  }

  #readyWorkers(): number {
    return this.#workers.filter((worker) => worker.ready).length;
  }

  #start(workerNumber: number, port: number): SupervisedWorker {
    // Metrics and health of a worker go over the channel; its own internal listener is not used.
    const internal = { internalHost: '127.0.0.1', internalPort: 0 };
    const config = { ...this.#config, port, ...internal, drainNoticeMs: 0 };
    const place = { workerNumber, workers: this.#config.workers, directory: this.#directory };
    return new SupervisedWorker(this.#stage.name, config, place, this.#live());
  }

  #live(): number[] {
    return this.#workers.filter(({ live }) => live).map(({ number }) => number);
  }

  #tellLive(): void {
    const live = this.#live();
    for (const worker of this.#workers) worker.tellLive(live);
  }

  /** A worker that hangs takes connections and never answers them: only its end lets others take them. */
  #tick(): void {
    for (const worker of this.#workers) {
      const silentTicks = worker.tick();
      if (this.#draining) continue;
      if (silentTicks > unreadyTicks) worker.ready = false;
      const silentMs = silentTicks * tickMs;
      if (silentMs <= this.#config.workerSilenceMsMax + (worker.live ? 0 : startAllowanceMs)) continue;
      this.#log.error({ event: 'worker silent', worker: worker.number, pid: worker.pid, silentMs });
      worker.kill();
    }
  }

  async #removeAbandoned(): Promise<void> {
    const removed = await removeAbandonedDirectories();
    if (removed.length > 0) this.#log.info({ event: 'abandoned directories removed', removed });
  }

  /** Waits for the end of a worker and starts another in its place. */
  async #watch(worker: SupervisedWorker, port: number, failures: number): Promise<void> {
    const startedAtMs = performance.now();
    const how = await worker.ended;
    if (this.#draining) return;
    this.#tellLive();
    const failed = performance.now() - startedAtMs < healthyAfterMs ? failures : 0;
    const restartMs = Math.min(restartMsMax, restartMsMin * 2 ** failed);
    this.#log.error({ event: 'worker ended', worker: worker.number, pid: worker.pid, how, restartMs });
    const counters = worker.lastSnapshot.filter(({ type }) => countingTypes.has(String(type)));
    const sums = AggregatorRegistry.aggregate([this.#countersOfEnded, counters]);
    this.#countersOfEnded = await sums.getMetricsAsJSON();
    await sleep(restartMs);
    if (this.#draining) return;
    this.#metrics.restarts.inc();
    const successor = this.#start(worker.number, port);
    this.#workers[worker.number] = successor;
    void this.#watch(successor, port, failed + 1);
    await successor.listening.then(
      () => {
        this.#tellLive();
        this.#log.info({ event: 'worker restarted', worker: worker.number, pid: successor.pid });
      },
      (error: Error) =>
        this.#log.error({ event: 'worker failed', worker: worker.number, reason: error.message }),
    );
  }

  async #collect(): Promise<string> {
    const live = await Promise.all(this.#workers.map((worker) => worker.scrape()));
    const own = await this.#metrics.registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([...live, this.#countersOfEnded, own]).metrics();
  }

  #stop(): void {
    this.#draining = true;
    clearInterval(this.#heartbeat);
    for (const worker of this.#workers) worker.kill();
    this.#internal.close();
    this.#internal.closeAllConnections();
  }
}

/**
 * Finds the port for all workers; 0 takes a free one. Listening once without `reusePort` fails where another
 * server has the port. With `reusePort` two servers of one user would share the connections silently.
 */
async function findPort(host: string, port: number): Promise<AddressInfo> {
  await using server = createServer();
  return await listen(server, { host, port });
}

/**
 * Trials of one variant on a server that stays: it is started and checked once, the simulator connects
 * once, and each trial is a step on the connections that are open. A server that has failed or has not
 * recovered is started anew by the next trial; other connections make the simulator connect anew.
 */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { Workload } from '../../../loadtest/workload.ts';
import type { Deployment, RunningSimulator } from '../deployment/deployment.ts';
import { SimulatorError } from '../deployment/simulator.ts';
import type { ServerSummary, TrialRecord } from '../records/schema.ts';
import { freezeAll } from './freeze.ts';
import { timeInternalPort } from './internal-port.ts';
import { Resizing } from './resize.ts';
import { Sampler } from './sampler.ts';
import { allKnown } from './seats.ts';
import { smokeCheck } from './smoke-check.ts';
import { type Mark, recordOf, type TrialContext, type TrialEnd, type TrialRequest } from './trial.ts';
import type { Variant } from './variant.ts';

type StandingServer = { deployment: Deployment; sampler: Sampler };
type StandingSimulator = { running: RunningSimulator; connections: string; rateMax: number };

/** Of the load of a trial: enough to see whether a server that has a backlog answers in time again. */
const recoveryShare = 0.1;
const recoveryStep = { warmUpSeconds: 0, durationSeconds: 0.75, drainSeconds: 0.5 };
/** Chosen, not measured: several times what the backlog of an overload of a few seconds takes. */
export const recoverySecondsMax = 15;

export class TrialSession implements AsyncDisposable {
  readonly #setup: Variant;
  readonly #context: TrialContext;
  #server: StandingServer | null = null;
  #simulator: StandingSimulator | null = null;
  #request: TrialRequest | null = null;
  #marks: Mark[] = [];
  #entered: (phase: string) => void = () => {};

  constructor(setup: Variant, context: TrialContext) {
    this.#setup = setup;
    this.#context = context;
  }

  /**
   * Runs one trial. A load that is too high, a server that dies and a simulator that fails are outcomes.
   * Rejects when no trial was possible, because the deployment did not start or did not pass a message on.
   */
  async run(request: TrialRequest): Promise<TrialRecord> {
    this.#request = request;
    this.#marks = [];
    this.#server?.sampler.forget(performance.now());
    const startedAt = new Date().toISOString();
    const { deployment, sampler } = await this.#open();
    using internalPort = timeInternalPort(deployment.nodes[0]!.internalUrl);
    const freeze = request.freeze === undefined ? null : freezeAll(deployment.nodes, request.freeze);
    const resizing =
      request.resize === undefined ? null : new Resizing(deployment, request.resize, this.#context.signal);
    this.#entered = (phase) => {
      // The summary of the measure phase needs a reading at both ends of it.
      void sampler.take();
      internalPort.enter(phase);
      freeze?.enter(phase);
      resizing?.enter(phase);
    };
    if (request.withoutQuota) await setQuota(deployment, false);
    const end = await this.#step(deployment, request);
    // A node that has died meanwhile has no quota to put in force: no trial follows on this server.
    const isBoxed = !request.withoutQuota || (await setQuota(deployment, true).catch(() => false));
    await sampler.take();
    this.#entered = () => {};
    const changes = { freeze: (await freeze?.ended) ?? null, resize: (await resizing?.ended()) ?? null };
    const probes = await internalPort.collect();
    const parts = { deployment, sampler, marks: this.#marks, probes, ...changes };
    const trial = recordOf(request, startedAt, end, parts, this.#context.signal.aborted);
    if (trial.fault !== null || end.result === null || !isBoxed) await this.close();
    return trial;
  }

  /**
   * What the servers and the machine did between two times of the last trial, in seconds from the start of
   * its measure phase. Null where the trial had none, its server is gone, or two readings were not taken.
   */
  readonly during = (fromSeconds: number, toSeconds: number): ServerSummary | null => {
    const measure = this.#marks.find(({ phase }) => phase === 'measure');
    if (measure === undefined || this.#server === null) return null;
    const at = (seconds: number) => measure.atMs + seconds * 1000;
    return this.#server.sampler.summary(at(fromSeconds), at(toSeconds), 0);
  };

  /**
   * Waits until a light load is answered within the limits again, after a trial that has overloaded the
   * server. Resolves with the seconds that took; null where they were too many: then the server is stopped.
   */
  async recover(request: TrialRequest): Promise<number | null> {
    const simulator = this.#simulator;
    if (simulator === null) return null;
    const beganMs = performance.now();
    const elapsedSeconds = () => (performance.now() - beganMs) / 1000;
    this.#observe('recover');
    const ratePerSecond = Math.max(1, recoveryShare * rateOf(request.workload));
    while (elapsedSeconds() < recoverySecondsMax && !this.#context.signal.aborted) {
      const seconds = elapsedSeconds();
      const result = await simulator.running
        .step({ ...recoveryStep, ratePerSecond, reconnect: true })
        .catch(() => null);
      if (result === null) break;
      if (isRecovered(result)) return Number(seconds.toFixed(2));
    }
    await this.close();
    return null;
  }

  /** Stops simulator and server; the next trial starts both anew. */
  async close(): Promise<void> {
    const [server, simulator] = [this.#server, this.#simulator];
    this.#server = null;
    this.#simulator = null;
    server?.sampler.stop();
    await simulator?.running[Symbol.asyncDispose]();
    await server?.deployment[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<StandingServer> {
    if (this.#server !== null) return this.#server;
    const { balancer = false, seated = false, resize, ...rest } = this.#setup;
    const { stage, settings, nodes, allocation, persistence = 'none' } = rest;
    this.#enter('start');
    const request = { stage, settings, nodes, balancer, seated, allocation, persistence };
    const later = resize && { nodesMax: resize.nodesMax };
    const deployment = await this.#context.deploy({ ...request, ...later });
    try {
      this.#context.observer.started(deployment, null);
      this.#enter('verify');
      const chatUrls = deployment.nodes.map(({ chatUrl }) => chatUrl);
      await smokeCheck(chatUrls, this.#context.signal);
      if (seated) await allKnown(deployment.nodes, this.#context.signal);
      const sampler = new Sampler(deployment, () => performance.now());
      await sampler.start();
      this.#server = { deployment, sampler };
      return this.#server;
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #step(deployment: Deployment, request: TrialRequest): Promise<TrialEnd> {
    const { ratePerSecond, arrival } = request.workload;
    const { measureSeconds: durationSeconds, warmUpSeconds, drainSeconds } = request.timing;
    const quantities = { ratePerSecond, arrival, durationSeconds, warmUpSeconds, drainSeconds };
    const step = { ...quantities, seed: request.seed };
    try {
      const { running } = await this.#connect(deployment, request);
      const result = await running.step({
        ...step,
        reconnect: true,
        last: request.isLast ?? false,
        abortOnFail: request.purpose === 'search' || request.purpose === 'warm-up',
      });
      return { result, error: null };
    } catch (error) {
      if (!(error instanceof SimulatorError)) throw error;
      return { result: null, error };
    }
  }

  /** The simulator with the connections of this workload, sized for the highest rate that is expected. */
  async #connect(deployment: Deployment, request: TrialRequest): Promise<StandingSimulator> {
    const rate = rateOf(request.workload);
    const { ratePerSecond: _, arrival: __, ...rest } = request.workload;
    const connections = JSON.stringify(rest);
    const rateMax = Math.max(rate, request.rateMax ?? rate);
    const known = this.#simulator;
    if (known !== null && known.connections === connections && rateMax <= known.rateMax) return known;
    this.#simulator = null;
    await known?.running[Symbol.asyncDispose]();
    const { signal, observer, simulatorMetricsPort } = this.#context;
    const { measureSeconds: durationSeconds, ...timing } = request.timing;
    const quantities = { ...rest, ...timing, durationSeconds, ratePerSecond: rateMax };
    const metrics = simulatorMetricsPort === null ? {} : { metricsPort: simulatorMetricsPort };
    const { limits, lagLimitMs } = request;
    const judged = lagLimitMs === undefined ? { limits } : { limits, lagLimitMs };
    const running = await deployment.startSimulator(
      { ...quantities, ...metrics, ...judged, seed: request.seed },
      {
        signal,
        onScrapeAddress: (address) => observer.started(deployment, address),
        onProgress: (progress) =>
          progress.event === 'second' ? observer.second(progress) : this.#enter(progress.phase),
      },
    );
    this.#simulator = { running, connections, rateMax };
    return this.#simulator;
  }

  /** Idle between two steps, and done at its end, the simulator is in no trial. */
  #enter(phase: string): void {
    if (phase === 'idle' || phase === 'done') return;
    this.#marks.push({ phase, atMs: performance.now() });
    this.#entered(phase);
    this.#observe(phase);
  }

  #observe(phase: string): void {
    if (this.#request !== null) this.#context.observer.phase(phase, this.#request);
  }
}

/** Lifts the CPU quota of all nodes, or puts it in force again. Rejects where a node refuses. */
async function setQuota({ nodes }: Deployment, inForce: boolean): Promise<true> {
  await Promise.all(nodes.map((node) => node.setQuota(inForce)));
  return true;
}

/** The same share of users as before, and a light load in time. */
function isRecovered({ verdict, recoveredSeconds, connections }: LoadtestResult): boolean {
  return verdict === 'pass' && recoveredSeconds !== null && connections.recipients === connections.opened;
}

/** Every experiment sets the rate; the default of the simulator stands in for one that does not. */
function rateOf({ ratePerSecond = 1 }: Partial<Workload>): number {
  return ratePerSecond;
}

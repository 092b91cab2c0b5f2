/** Samples the nodes of trials: CPU and memory four times a second, their own metrics once a second. */
import { type HostReading, readHost } from '#host/cpu.ts';
import type { DeployedNode, Deployment, FaultKind } from '../deployment/deployment.ts';
import type { MetricsSeries, NodeSeries, ServerSummary } from '../records/schema.ts';
import { isServer, type MetricsReading, since, type UsageReading, within } from './readings.ts';
import { metricsSeriesOf, nodeSeriesOf } from './series.ts';
import { readServerMetrics, readServerTiming } from './server-metrics.ts';
import { summarize } from './server-summary.ts';

const samplePeriodMs = 250;
const metricsPeriodMs = 1000;
const metricsDeadlineMs = 2000;

/**
 * Samples until it is stopped, through any number of trials, and summarizes its readings between any two
 * times. `forget` drops those that are no longer asked for. Times are of the clock that it is given.
 */
export class Sampler {
  readonly #deployment: Deployment;
  readonly #now: () => number;
  #usage: UsageReading[] = [];
  #metrics: MetricsReading[] = [];
  /** Of the idle server; null before the first reading. */
  #idle: UsageReading | null = null;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #scraping = new Map<string, Promise<void>>();
  readonly #readHost: () => HostReading;

  constructor(deployment: Deployment, now: () => number, host: () => HostReading = readHost) {
    this.#deployment = deployment;
    this.#now = now;
    this.#readHost = host;
  }

  /** Takes the first reading, that of the idle server, and begins. */
  async start(): Promise<void> {
    await this.take();
    this.#timers.push(setInterval(() => void this.#read(), samplePeriodMs));
    this.#timers.push(setInterval(() => void this.scrape(), metricsPeriodMs));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /**
   * Takes a reading now, as at both ends of a phase; none where the deployment is being stopped and refuses
   * it. The metrics are asked for as well, and not waited for: a saturated server answers late.
   */
  async take(): Promise<void> {
    void this.scrape();
    await this.#read();
  }

  /** Reads the metrics of all nodes; resolves when each has answered or has missed the deadline. */
  async scrape(): Promise<void> {
    await Promise.all(this.#deployment.nodes.map((node) => this.#scrapeOnce(node)));
  }

  /** Drops the readings before this time, but for the last of them and that of the idle server. */
  forget(beforeMs: number): void {
    this.#usage = since(this.#usage, beforeMs);
    const ofNode = Map.groupBy(this.#metrics, ({ name }) => name).values();
    this.#metrics = ofNode.flatMap((readings) => since(readings, beforeMs)).toArray();
  }

  /** The first fault of a server node, with the name of the node; null while all are well. */
  fault(): { text: string; kind: FaultKind | undefined } | null {
    const servers = this.#usage.at(-1)?.samples.filter(isServer) ?? [];
    const faulty = servers.find((sample) => sample.fault !== null);
    return faulty === undefined ? null : { text: `${faulty.name} ${faulty.fault}`, kind: faulty.faultKind };
  }

  /** Series of the readings between two times, in seconds from `originMs`. */
  nodeSeries(
    originMs: number,
    fromMs = Number.NEGATIVE_INFINITY,
    toMs = Number.POSITIVE_INFINITY,
  ): NodeSeries[] {
    const names = this.#idle?.samples.map((sample) => sample.name) ?? [];
    const readings = since(this.#usage, fromMs).filter(({ atMs }) => atMs <= toMs);
    return names.map((name) => nodeSeriesOf(name, readings, originMs));
  }

  /** The same of the metrics. */
  metricsSeries(
    originMs: number,
    fromMs = Number.NEGATIVE_INFINITY,
    toMs = Number.POSITIVE_INFINITY,
  ): MetricsSeries[] {
    const readings = within(this.#metrics, fromMs, toMs);
    return this.#deployment.nodes.map(({ name }) => metricsSeriesOf(name, readings, originMs));
  }

  /**
   * Sums over the server nodes between two times; null when fewer than two readings lie between them.
   * `simulatorCpuSeconds` is its own report, for a deployment that cannot see the simulator.
   */
  summary(fromMs: number, toMs: number, simulatorCpuSeconds: number): ServerSummary | null {
    if (this.#idle === null) return null;
    const readings = { idle: this.#idle, usage: this.#usage, metrics: this.#metrics };
    const { nodes, pins } = this.#deployment;
    return summarize(readings, { fromMs, toMs }, { nodes: nodes.length, pins, simulatorCpuSeconds });
  }

  async #read(): Promise<void> {
    try {
      const [samples, simulatorCpuSeconds = null] = await Promise.all([
        this.#deployment.sample(),
        this.#deployment.simulatorCpuSeconds?.(),
      ]);
      const reading = { atMs: this.#now(), samples, simulatorCpuSeconds, host: this.#readHost() };
      this.#idle ??= reading;
      this.#usage.push(reading);
    } catch {
      // The deployment is being stopped.
    }
  }

  /** A saturated server answers late: a second scrape meanwhile would only add to its load. */
  #scrapeOnce(node: DeployedNode): Promise<void> {
    const running = this.#scraping.get(node.name);
    if (running !== undefined) return running;
    const scrape = this.#scrape(node).finally(() => this.#scraping.delete(node.name));
    this.#scraping.set(node.name, scrape);
    return scrape;
  }

  async #scrape({ name, internalUrl }: DeployedNode): Promise<void> {
    const startedMs = this.#now();
    const signal = AbortSignal.timeout(metricsDeadlineMs);
    try {
      const response = await fetch(`${internalUrl}/metrics`, { signal });
      const text = await response.text();
      const atMs = this.#now();
      const cpuMs = readServerTiming(response.headers.get('server-timing'), 'cpu');
      const metrics = readServerMetrics(text);
      this.#metrics.push({ atMs, name, scrapeMs: atMs - startedMs, cpuMs, metrics });
    } catch {
      this.#metrics.push({ atMs: this.#now(), name, scrapeMs: null, cpuMs: null, metrics: null });
    }
  }
}

/** Samples the nodes of a trial: CPU and memory four times a second, their own metrics once a second. */
import { type HostReading, readHost } from '#host/cpu.ts';
import { meanOf } from '../analysis/statistics.ts';
import type { DeployedNode, Deployment, FaultKind, NodeSample } from '../deployment/deployment.ts';
import type { MetricsSeries, NodeSeries, ServerSummary } from '../records/schema.ts';
import { readMetric, readServerTiming } from './server-metrics.ts';

const samplePeriodMs = 250;
const metricsPeriodMs = 1000;
const metricsDeadlineMs = 2000;

type TimedSamples = { atMs: number; samples: NodeSample[]; host: HostReading };
/** Null and empty where a node did not answer in time; `cpuMs` also where it does not report it. */
type MetricsReading = {
  atMs: number;
  name: string;
  scrapeMs: number | null;
  cpuMs: number | null;
  text: string;
};

/**
 * Samples until it is stopped, through any number of trials, and summarizes its readings between any two
 * times. `forget` drops those that are no longer asked for. Times are of the clock that it is given.
 */
export class Sampler {
  readonly #deployment: Deployment;
  readonly #now: () => number;
  #readings: TimedSamples[] = [];
  #metrics: MetricsReading[] = [];
  /** Of the idle server; null before the first reading. */
  #idle: TimedSamples | null = null;
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
    this.#readings = since(this.#readings, beforeMs);
    const ofNode = Map.groupBy(this.#metrics, ({ name }) => name).values();
    this.#metrics = ofNode.flatMap((readings) => since(readings, beforeMs)).toArray();
  }

  /** The first fault of a server node, with the name of the node; null while all are well. */
  fault(): { text: string; kind: FaultKind | undefined } | null {
    const servers = this.#readings.at(-1)?.samples.filter(isServer) ?? [];
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
    const readings = since(this.#readings, fromMs).filter(({ atMs }) => atMs <= toMs);
    return names.map((name) => seriesOf(name, readings, originMs));
  }

  /** The same of the metrics. */
  metricsSeries(
    originMs: number,
    fromMs = Number.NEGATIVE_INFINITY,
    toMs = Number.POSITIVE_INFINITY,
  ): MetricsSeries[] {
    const within = this.#metrics.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    return this.#deployment.nodes.map(({ name }) => {
      const readings = within.filter((reading) => reading.name === name);
      const gauge = (metric: string) => readings.map(({ text }) => readGauge(text, metric));
      return {
        name,
        atSeconds: readings.map(({ atMs }) => round((atMs - originMs) / 1000, 3)),
        scrapeMs: readings.map(({ scrapeMs }) => (scrapeMs === null ? null : round(scrapeMs, 1))),
        eventLoopLagMsP99: readings.map(({ text }) => readLagMs(text)),
        heapUsedBytes: gauge('nodejs_heap_size_used_bytes'),
        sessions: gauge('chat_sessions'),
        evictions: gauge('chat_evictions_total'),
      };
    });
  }

  /**
   * Sums over the server nodes between two times; null when fewer than two readings lie between them.
   * `instrumentCpuSeconds` of the simulator belong neither to a node nor to the machine's other processes.
   */
  summary(fromMs: number, toMs: number, instrumentCpuSeconds: number): ServerSummary | null {
    const isWithin = ({ atMs }: { atMs: number }) => atMs >= fromMs && atMs <= toMs;
    const within = this.#readings.filter(isWithin);
    const metrics = this.#metrics.filter(isWithin);
    const [first, last] = [within[0], within.at(-1)];
    if (first === undefined || last === undefined || first === last) return null;
    const seconds = (last.atMs - first.atMs) / 1000;
    const grown = (field: SampleField, counts = isServer) =>
      sumOf(last.samples.filter(counts), field) - sumOf(first.samples.filter(counts), field);
    const host = (field: keyof HostReading) => last.host[field] - first.host[field];
    const nodesSeconds = grown('cpuSeconds', () => true);
    const otherSeconds = host('busySeconds') - host('labSeconds') - nodesSeconds - instrumentCpuSeconds;
    const throttledKnown = last.samples.some((sample) => sample.throttledSeconds !== null);
    const rssBytes = ({ samples }: TimedSamples) => sumOf(samples.filter(isServer), 'rssBytes');
    const scrapeMs = metrics.flatMap((reading) => reading.scrapeMs ?? []);
    const scrapeCpuMs = metrics.flatMap(({ cpuMs }) => cpuMs ?? []);
    return {
      cpuCores: round(grown('cpuSeconds') / seconds, 3),
      otherCpuCores: round(Math.max(0, otherSeconds) / seconds, 2),
      serviceCpuCores: round(grown('cpuSeconds', (sample) => !isServer(sample)) / seconds, 3),
      processes: sumOf(last.samples.filter(isServer), 'processes'),
      // A node with workers reports their number; any other node is one loop.
      eventLoops: Math.max(this.#deployment.nodes.length, this.#sumOfLatest('chat_workers_ready', toMs, 1)),
      rssIdleBytes: rssBytes(this.#idle!),
      rssMaxBytes: Math.max(...within.map(rssBytes)),
      throttledShare: throttledKnown ? round(grown('throttledSeconds') / seconds, 3) : null,
      eventLoopLagMsP99: maxOrNull(metrics.flatMap(({ text }) => readLagMs(text) ?? [])),
      scrapeMsMax: maxOrNull(scrapeMs.map((value) => round(value, 1))),
      scrapeCpuMs: scrapeCpuMs.length === 0 ? null : round(meanOf(scrapeCpuMs), 3),
      evictions: this.#grown('chat_evictions_total', fromMs, toMs),
    };
  }

  /** Sum of the newest values until a time; a node that has answered without that metric adds `otherwise`. */
  #sumOfLatest(metric: string, untilMs: number, otherwise: number): number {
    const texts = [...this.#latest(untilMs).values()];
    return texts.reduce((sum, text) => sum + (readMetric(text, metric) ?? otherwise), 0);
  }

  /** Growth of a counter between the last readings until two times; from its start where there is none. */
  #grown(metric: string, fromMs: number, toMs: number): number {
    const before = this.#latest(fromMs);
    const growths = [...this.#latest(toMs)].map(([name, text]) => {
      const start = readMetric(before.get(name) ?? '', metric) ?? 0;
      return Math.max(0, (readMetric(text, metric) ?? 0) - start);
    });
    return growths.reduce((sum, growth) => sum + growth, 0);
  }

  /** The newest metrics until a time of each node that has answered. */
  #latest(untilMs: number): Map<string, string> {
    const answered = this.#metrics.filter(({ atMs, text }) => atMs <= untilMs && text !== '');
    return new Map(answered.map(({ name, text }) => [name, text]));
  }

  async #read(): Promise<void> {
    const samples = await this.#deployment.sample().catch(() => null);
    if (samples === null) return;
    const reading = { atMs: this.#now(), samples, host: this.#readHost() };
    this.#idle ??= reading;
    this.#readings.push(reading);
  }

  /** A saturated server answers late: a second scrape meanwhile would only add to its load. */
  #scrapeOnce(node: DeployedNode): Promise<void> {
    const running = this.#scraping.get(node.name);
    if (running !== undefined) return running;
    const scrape = this.#scrape(node).finally(() => this.#scraping.delete(node.name));
    this.#scraping.set(node.name, scrape);
    return scrape;
  }

  async #scrape(node: DeployedNode): Promise<void> {
    const startedMs = this.#now();
    const signal = AbortSignal.timeout(metricsDeadlineMs);
    try {
      const response = await fetch(`${node.internalUrl}/metrics`, { signal });
      const text = await response.text();
      const atMs = this.#now();
      const cpuMs = readServerTiming(response.headers.get('server-timing'), 'cpu');
      this.#metrics.push({ atMs, name: node.name, scrapeMs: atMs - startedMs, cpuMs, text });
    } catch {
      this.#metrics.push({ atMs: this.#now(), name: node.name, scrapeMs: null, cpuMs: null, text: '' });
    }
  }
}

/** Those since a time, and the last one before it. */
function since<Reading extends { atMs: number }>(readings: Reading[], fromMs: number): Reading[] {
  const first = readings.findIndex(({ atMs }) => atMs >= fromMs);
  return first === -1 ? readings.slice(-1) : readings.slice(Math.max(0, first - 1));
}

function seriesOf(name: string, readings: readonly TimedSamples[], originMs: number): NodeSeries {
  const values = { atSeconds: [], cpuCores: [], rssBytes: [], throttledShare: [] };
  const series: NodeSeries = { name, role: 'server', ...values };
  let before: { atMs: number; sample: NodeSample } | null = null;
  for (const { atMs, samples } of readings) {
    const sample = samples.find((candidate) => candidate.name === name);
    if (sample === undefined) continue;
    // Extra readings at the ends of phases lie too close to others for CPU counters of 10 ms.
    if (before !== null && atMs - before.atMs < samplePeriodMs / 2) continue;
    if (before !== null) {
      const seconds = (atMs - before.atMs) / 1000;
      series.role = sample.role;
      series.atSeconds.push(round((atMs - originMs) / 1000, 3));
      series.cpuCores.push(round(Math.max(0, sample.cpuSeconds - before.sample.cpuSeconds) / seconds, 3));
      series.rssBytes.push(sample.rssBytes);
      const throttled = sample.throttledSeconds;
      const throttledBefore = before.sample.throttledSeconds;
      const known = throttled !== null && throttledBefore !== null;
      series.throttledShare.push(known ? round((throttled - throttledBefore) / seconds, 3) : null);
    }
    before = { atMs, sample };
  }
  return series;
}

type SampleField = 'cpuSeconds' | 'rssBytes' | 'processes' | 'throttledSeconds';

function isServer({ role }: NodeSample): boolean {
  return role === 'server';
}

function sumOf(samples: readonly NodeSample[], field: SampleField): number {
  return samples.reduce((sum, sample) => sum + (sample[field] ?? 0), 0);
}

function readGauge(text: string, metric: string, factor = 1): number | null {
  const value = readMetric(text, metric);
  return value === null || Number.isNaN(value) ? null : round(value * factor, 3);
}

/** Null also for a loop that was blocked all the time: prom-client shows its empty histogram as almost 0. */
function readLagMs(text: string): number | null {
  const lagMs = readGauge(text, 'nodejs_eventloop_lag_p99_seconds', 1000);
  return lagMs !== null && lagMs < 0.01 ? null : lagMs;
}

function maxOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

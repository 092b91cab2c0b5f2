/**
 * Samples the nodes of a running trial: CPU and memory four times a second, their own metrics once a second.
 */
import { type HostReading, readHost } from '#host/cpu.ts';
import type { DeployedNode, Deployment, NodeSample } from '../deployment/deployment.ts';
import type { MetricsSeries, NodeSeries, ServerSummary } from '../records/schema.ts';
import { readMetric, readServerTiming } from './server-metrics.ts';

const samplePeriodMs = 250;
const metricsPeriodMs = 1000;
const metricsDeadlineMs = 2000;

type TimedSamples = { atMs: number; samples: NodeSample[]; host: HostReading };
type MetricsReading = {
  atMs: number;
  name: string;
  scrapeMs: number | null;
  /** CPU time of the answer, where the server reports it. */
  cpuMs: number | null;
  text: string;
};

/** Samples until it is stopped, then summarizes its readings. Times are of the clock that it is given. */
export class Sampler {
  readonly #deployment: Deployment;
  readonly #now: () => number;
  readonly #readings: TimedSamples[] = [];
  readonly #metrics: MetricsReading[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #scraping = new Set<string>();
  readonly #readHost: () => HostReading;

  constructor(deployment: Deployment, now: () => number, host: () => HostReading = readHost) {
    this.#deployment = deployment;
    this.#now = now;
    this.#readHost = host;
  }

  /** Takes the first reading, that of the idle server, and begins. */
  async start(): Promise<void> {
    await this.take();
    this.#timers.push(setInterval(() => void this.take(), samplePeriodMs));
    this.#timers.push(setInterval(() => this.#scrapeAll(), metricsPeriodMs));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /**
   * Takes one reading now. A deployment that is being stopped may refuse it; then only this reading is
   * missing.
   */
  async take(): Promise<void> {
    const samples = await this.#deployment.sample().catch(() => null);
    if (samples !== null) this.#readings.push({ atMs: this.#now(), samples, host: this.#readHost() });
  }

  /** The first fault of a server node; null while all are well. */
  fault(): string | null {
    const faulty = this.#readings
      .at(-1)
      ?.samples.find((sample) => sample.role === 'server' && sample.fault !== null);
    return faulty === undefined ? null : `${faulty.name} ${faulty.fault}`;
  }

  /** Series with times in seconds from `originMs`. */
  nodeSeries(originMs: number): NodeSeries[] {
    const names = this.#readings[0]?.samples.map((sample) => sample.name) ?? [];
    return names.map((name) => seriesOf(name, this.#readings, originMs));
  }

  metricsSeries(originMs: number): MetricsSeries[] {
    return this.#deployment.nodes.map(({ name }) => {
      const readings = this.#metrics.filter((reading) => reading.name === name);
      const gauge = (metric: string, factor = 1) =>
        readings.map(({ text }) => scaled(readMetric(text, metric), factor));
      return {
        name,
        atSeconds: readings.map(({ atMs }) => round((atMs - originMs) / 1000, 3)),
        scrapeMs: readings.map(({ scrapeMs }) => (scrapeMs === null ? null : round(scrapeMs, 1))),
        eventLoopLagMsP99: gauge('nodejs_eventloop_lag_p99_seconds', 1000).map(knownLag),
        heapUsedBytes: gauge('nodejs_heap_size_used_bytes'),
        sessions: gauge('chat_sessions'),
        evictions: gauge('chat_evictions_total'),
      };
    });
  }

  /**
   * Sums over the server nodes between two times; null when fewer than two readings lie between them. The CPU
   * time of the simulator is a parameter, because it belongs neither to a node nor to the other processes of
   * the machine.
   */
  summary(fromMs: number, toMs: number, instrumentCpuSeconds: number): ServerSummary | null {
    const within = this.#readings.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    const [first, last] = [within[0], within.at(-1)];
    if (first === undefined || last === undefined || first === last) return null;
    const seconds = (last.atMs - first.atMs) / 1000;
    const grown = (field: 'cpuSeconds' | 'throttledSeconds', sum = serverSum) =>
      sum(last.samples, field) - sum(first.samples, field);
    const throttledKnown = last.samples.some((sample) => sample.throttledSeconds !== null);
    const scraped = this.metricsSeries(fromMs).flatMap((series) =>
      series.atSeconds.map((at, index) => ({
        at,
        lag: series.eventLoopLagMsP99[index]!,
        took: series.scrapeMs[index]!,
      })),
    );
    const measured = scraped.filter(({ at }) => at >= 0 && at <= (toMs - fromMs) / 1000);
    return {
      cpuCores: round(grown('cpuSeconds') / seconds, 3),
      otherCpuCores: round(Math.max(0, restSeconds(first, last) - instrumentCpuSeconds) / seconds, 2),
      serviceCpuCores: round(grown('cpuSeconds', serviceSum) / seconds, 3),
      processes: serverSum(last.samples, 'processes'),
      eventLoops: this.#eventLoops(),
      rssIdleBytes: serverSum(this.#readings[0]!.samples, 'rssBytes'),
      rssMaxBytes: Math.max(...within.map(({ samples }) => serverSum(samples, 'rssBytes'))),
      throttledShare: throttledKnown ? round(grown('throttledSeconds') / seconds, 3) : null,
      eventLoopLagMsP99: maxOrNull(measured.map(({ lag }) => lag)),
      scrapeMsMax: maxOrNull(measured.map(({ took }) => took)),
      scrapeCpuMs: meanOrNull(
        this.#metrics.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).map(({ cpuMs }) => cpuMs),
      ),
      evictions: this.#evictions(),
    };
  }

  #evictions(): number {
    return this.#latest().reduce((sum, text) => sum + (readMetric(text, 'chat_evictions_total') ?? 0), 0);
  }

  /** A node with workers reports their number; any other node is one loop. */
  #eventLoops(): number {
    const workers = this.#latest().map((text) => readMetric(text, 'chat_workers_ready') ?? 1);
    return Math.max(
      this.#deployment.nodes.length,
      workers.reduce((sum, count) => sum + count, 0),
    );
  }

  /** The newest metrics of each node. */
  #latest(): string[] {
    const answered = this.#metrics.filter(({ text }) => text !== '');
    return [...new Map(answered.map(({ name, text }) => [name, text])).values()];
  }

  #scrapeAll(): void {
    for (const node of this.#deployment.nodes) {
      // A saturated server answers late: a second scrape meanwhile would only add to its load.
      if (!this.#scraping.has(node.name)) void this.#scrape(node);
    }
  }

  async #scrape(node: DeployedNode): Promise<void> {
    this.#scraping.add(node.name);
    const startedMs = this.#now();
    try {
      const response = await fetch(`${node.internalUrl}/metrics`, {
        signal: AbortSignal.timeout(metricsDeadlineMs),
      });
      const text = await response.text();
      const atMs = this.#now();
      const cpuMs = readServerTiming(response.headers.get('server-timing'), 'cpu');
      this.#metrics.push({ atMs, name: node.name, scrapeMs: atMs - startedMs, cpuMs, text });
    } catch {
      this.#metrics.push({ atMs: this.#now(), name: node.name, scrapeMs: null, cpuMs: null, text: '' });
    } finally {
      this.#scraping.delete(node.name);
    }
  }
}

function seriesOf(name: string, readings: readonly TimedSamples[], originMs: number): NodeSeries {
  const series: NodeSeries = {
    name,
    role: 'server',
    atSeconds: [],
    cpuCores: [],
    rssBytes: [],
    throttledShare: [],
  };
  let before: { atMs: number; sample: NodeSample } | null = null;
  for (const { atMs, samples } of readings) {
    const sample = samples.find((candidate) => candidate.name === name);
    if (sample === undefined) continue;
    // Extra readings at the ends of phases lie close to others, and CPU counters of 10 ms are too coarse for
    // that.
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

/** CPU seconds of the machine outside nodes and lab. */
function restSeconds(first: TimedSamples, last: TimedSamples): number {
  const host = (field: keyof HostReading) => last.host[field] - first.host[field];
  const nodes = sumOf(last.samples, 'cpuSeconds') - sumOf(first.samples, 'cpuSeconds');
  return host('busySeconds') - host('labSeconds') - nodes;
}

type SampleField = 'cpuSeconds' | 'rssBytes' | 'processes' | 'throttledSeconds';

function serverSum(samples: readonly NodeSample[], field: SampleField): number {
  return sumOf(
    samples.filter(({ role }) => role === 'server'),
    field,
  );
}

function serviceSum(samples: readonly NodeSample[], field: SampleField): number {
  return sumOf(
    samples.filter(({ role }) => role !== 'server'),
    field,
  );
}

function sumOf(samples: readonly NodeSample[], field: SampleField): number {
  return samples.reduce((sum, sample) => sum + (sample[field] ?? 0), 0);
}

function scaled(value: number | null, factor: number): number | null {
  return value === null || Number.isNaN(value) ? null : round(value * factor, 3);
}

/**
 * A loop that was blocked for the whole second has an empty histogram, which prom-client shows as almost
 * zero.
 */
function knownLag(lagMs: number | null): number | null {
  return lagMs !== null && lagMs < 0.01 ? null : lagMs;
}

function maxOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return round(known.reduce((sum, value) => sum + value, 0) / known.length, 3);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

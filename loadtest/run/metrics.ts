/** The simulator's Prometheus metrics, for watching a run. No number of a result comes from here. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { DirectCounts } from '../record/direct-counts.ts';
import { lowestOf } from '../record/histogram.ts';
import type { Second } from '../record/series.ts';
import type { Totals } from '../record/totals.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { directCounters, directHistograms, directResults } from './direct-metrics.ts';
import type { Phase, RunObserver } from './observer.ts';

const phases: readonly Phase[] = [
  'accounts',
  'connect',
  'probe',
  'idle',
  'warm-up',
  'measure',
  'drain',
  'done',
];
const audited = ['lost', 'duplicated', 'reordered', 'misrouted', 'corrupted'] as const;
/** Upper bounds in seconds: 1 ms to 30 s, for latencies and for the schedule lag. */
const boundsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Follows a run and exports it, in a registry of its own. All counters begin anew with each step. */
export class Metrics implements RunObserver {
  readonly registry = new Registry();
  #phase: Phase = 'connect';
  #sessions = 0;
  #offeredPerSecond = 0;
  #second: Second | undefined;
  #totals: Totals | undefined;
  #lost = 0;

  /**
   * `stage` becomes a label of every metric: a choice of stages then finds this run too. `p99LimitMs` is the
   * upper bound of delivery latency that the run is judged by; left out: none.
   */
  constructor({ stage, p99LimitMs }: { stage?: string | undefined; p99LimitMs?: number | undefined } = {}) {
    if (stage !== undefined) this.registry.setDefaultLabels({ stage });
    if (p99LimitMs !== undefined)
      this.#gauge(
        'loadtest_delivery_latency_limit_seconds',
        'The p99 of delivery latency must stay below it; absent without such a limit',
        () => p99LimitMs / 1000,
      );
    this.#gauge(
      'loadtest_offered_messages_per_second',
      'Messages per second that the schedule asks for',
      () => this.#offeredPerSecond,
    );
    this.#gauge('loadtest_sessions', 'Open connections of virtual users', () => this.#sessions);
    this.#gauge(
      'loadtest_worker_cpu_cores',
      'CPU of all workers together',
      () => this.#second?.instrumentCpuCores ?? 0,
    );
    this.#counter('loadtest_messages_sent', 'Messages sent', () => this.#totals?.messagesSent ?? 0);
    this.#counter('loadtest_deliveries', 'Distinct deliveries received', () => this.#totals?.deliveries ?? 0);
    this.#phaseGauge();
    this.#auditCounter();
    this.#histogram(
      'loadtest_delivery_latency_seconds',
      'Receipt minus due time',
      (totals) => totals.allDelivery,
    );
    this.#histogram('loadtest_schedule_lag_seconds', 'Actual send minus due time', (totals) => totals.allLag);
    for (const [name, help, of] of directCounters)
      this.#counter(name, help, () => this.#totals?.direct[of] ?? 0);
    for (const [name, help, results] of directResults) this.#resultCounter(name, help, results);
    for (const [name, help, of] of directHistograms)
      this.#histogram(name, help, (totals) => totals.directTimes[of]);
  }

  phase(phase: Phase): void {
    this.#phase = phase;
  }

  progress(sessionsOpen: number): void {
    this.#sessions = sessionsOpen;
  }

  step(workload: ResolvedWorkload): void {
    this.#offeredPerSecond = workload.ratePerSecond;
  }

  second(_phase: Phase, second: Second, totals: Totals, lost: number): void {
    this.#second = second;
    this.#sessions = second.sessionsOpen;
    this.#totals = totals;
    this.#lost = lost;
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  #counter(name: string, help: string, read: () => number): void {
    new Counter({
      name: `${name}_total`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #resultCounter(name: string, help: string, results: Readonly<Record<string, keyof DirectCounts>>): void {
    const read = () => this.#totals?.direct;
    new Counter({
      name: `${name}_total`,
      help,
      labelNames: ['result'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [result, of] of Object.entries(results)) this.inc({ result }, read()?.[of] ?? 0);
      },
    });
  }

  #phaseGauge(): void {
    const current = () => this.#phase;
    new Gauge({
      name: 'loadtest_phase',
      help: '1 for the phase that the run is in',
      labelNames: ['phase'],
      registers: [this.registry],
      collect() {
        for (const phase of phases) this.set({ phase }, phase === current() ? 1 : 0);
      },
    });
  }

  #auditCounter(): void {
    const read = () => ({ ...this.#totals?.audit(), lost: this.#lost });
    new Counter({
      name: 'loadtest_audit_total',
      help: 'Faulty deliveries; lost counts the deliveries that are overdue by more than the drain',
      labelNames: ['outcome'],
      registers: [this.registry],
      collect() {
        this.reset();
        const counts = read();
        for (const outcome of audited) this.inc({ outcome }, counts[outcome] ?? 0);
      },
    });
  }

  /** Not prom-client's histogram, which would observe every value: here they are counted already. */
  #histogram(name: string, help: string, read: (totals: Totals) => Float64Array): void {
    const get = async () => {
      const values = this.#totals === undefined ? [] : histogramValues(name, read(this.#totals));
      return { name, help, type: 'histogram', values, aggregator: 'sum' };
    };
    this.registry.registerMetric({ name, get } as unknown as Gauge);
  }
}

/** Buckets, sum and count. A counter belongs to the bucket of its lowest value, at most 0.1 % off. */
function histogramValues(name: string, counts: Float64Array) {
  const buckets = boundsSeconds.map(() => 0);
  let count = 0;
  let sumSeconds = 0;
  for (let slot = 0; slot < counts.length; slot++) {
    if (counts[slot] === 0) continue;
    const seconds = lowestOf(slot) / 1e6;
    count += counts[slot]!;
    sumSeconds += seconds * counts[slot]!;
    const bucket = boundsSeconds.findIndex((bound) => seconds <= bound);
    if (bucket !== -1) buckets[bucket]! += counts[slot]!;
  }
  let below = 0;
  const cumulative = buckets.map((inBucket, i) => {
    below += inBucket;
    return { metricName: `${name}_bucket`, labels: { le: boundsSeconds[i]! }, value: below };
  });
  return [
    ...cumulative,
    { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels: {}, value: sumSeconds },
    { metricName: `${name}_count`, labels: {}, value: count },
  ];
}

/** A listening server of `/metrics`. Disposing of it also closes the connections that scrapers keep. */
export type MetricsServer = Disposable & { readonly port: number };

/** Serves `/metrics` and the process's own. Resolves when listening, rejects if the port is in use. */
export async function serveMetrics(registry: Registry, host: string, port: number): Promise<MetricsServer> {
  collectDefaultMetrics({ register: registry });
  const server = createServer(async (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', registry.contentType);
    response.end(await registry.metrics());
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

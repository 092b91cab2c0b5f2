/** The metrics of the server. Labels come from closed sets: never a room, a user, a URL. */
import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type CgroupReading, readCgroup } from '#host/cgroup.ts';

export type EvictionReason = 'slow_consumer' | 'dead_peer' | 'interrupted';
export type RejectionReason =
  | 'origin'
  | 'path'
  | 'token'
  | 'full'
  | 'overload'
  | 'draining'
  | 'unready'
  | 'rooms';

export type Metrics = ReturnType<typeof createMetrics>;

/** The values that the gauges read at each scrape. */
export type Observed = { sessions(): number; rooms(): number };

/**
 * Defaults of prom-client that walk every open handle at each scrape. With 8,000 sessions they took 15 of its
 * 17.6 ms of CPU, and the chat waits meanwhile. `chat_sessions` says the same at no cost.
 */
const costlyDefaults = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'process_open_fds',
];

/**
 * Declares the metrics in a registry of their own. `chat_fan_out_seconds` is the time from the oldest message
 * of a round to the last socket's write, once per round.
 */
export function createMetrics(stage: string, observed: Observed) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of costlyDefaults) registry.removeSingleMetric(name);
  const gauge = (
    name: string,
    help: string,
    read: () => number | undefined,
    aggregator: Aggregator = 'sum',
  ) =>
    new Gauge({
      name,
      help,
      registers,
      aggregator,
      collect() {
        const value = read();
        if (value !== undefined) this.set(value);
      },
    });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, registers, labelNames: [...labelNames] });

  new Gauge({
    name: 'chat_build_info',
    help: 'Always 1; the labels name the stage and the version of Node',
    registers,
    aggregator: 'first',
    labelNames: ['stage', 'node'],
  }).set({ stage, node: process.version }, 1);
  gauge('chat_sessions', 'Sessions that are open', observed.sessions);
  gauge('chat_rooms', 'Rooms that have sessions, in each process', observed.rooms);
  // Workers share one cgroup, so each of them reads the values of all.
  declareCgroup((name, help, read) => gauge(name, help, read, 'first'));

  return {
    registry,
    messagesReceived: counter(
      'chat_messages_received_total',
      'Messages that clients sent and the server accepted',
    ),
    deliveries: counter('chat_deliveries_total', 'Frames handed to the sockets of recipients'),
    deliveredBytes: counter(
      'chat_delivered_bytes_total',
      'Bytes of frames handed to the sockets of recipients',
    ),
    writes: counter('chat_writes_total', 'Writes to sockets that carried chat frames'),
    evictions: counter('chat_evictions_total', 'Sessions closed on purpose by the server', ['reason']),
    rejections: counter('chat_rejections_total', 'Connections that were not let in', ['reason']),
    closes: counter('chat_closes_total', 'Sessions ended, by close code', ['code']),
    fanOutSeconds: new Histogram({
      name: 'chat_fan_out_seconds',
      help: 'From the oldest message of a round to the last write of that round',
      registers,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
  };
}

/** Declares the metrics that a supervisor exports beside the sums of its workers. */
export function createSupervisorMetrics(readyWorkers: () => number) {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'chat_workers_ready',
    help: 'Workers that accept sessions',
    registers,
    collect() {
      this.set(readyWorkers());
    },
  });
  const restarts = new Counter({
    name: 'chat_worker_restarts_total',
    help: 'Workers that ended and were started again',
    registers,
  });
  return { registry, restarts };
}

/** Declares the kernel's view of the process; a limit of 0 is none. The first gauge reads for all of them. */
function declareCgroup(gauge: (name: string, help: string, read: () => number | undefined) => void): void {
  let reading: CgroupReading | undefined;
  gauge('chat_cgroup_cpu_limit_cores', 'CPU quota in cores; 0: none', () => {
    reading = readCgroup();
    return reading?.cpuLimitCores;
  });
  gauge('chat_cgroup_cpu_periods_total', 'Quota periods that have passed', () => reading?.cpuPeriodsTotal);
  gauge(
    'chat_cgroup_cpu_throttled_periods_total',
    'Quota periods in which the process was stopped',
    () => reading?.cpuThrottledPeriodsTotal,
  );
  gauge(
    'chat_cgroup_cpu_throttled_seconds_total',
    'Time the process was stopped by its CPU quota',
    () => reading?.cpuThrottledSecondsTotal,
  );
  gauge('chat_cgroup_memory_bytes', 'Memory charged to the cgroup', () => reading?.memoryBytes);
  gauge(
    'chat_cgroup_memory_limit_bytes',
    'Memory limit of the cgroup; 0: none',
    () => reading?.memoryLimitBytes,
  );
}

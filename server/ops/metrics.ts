/** The metrics of the server. Labels come from closed sets: never a room, a user, a URL. */
import { statSync } from 'node:fs';
import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type CgroupReading, readCgroup } from '#host/cgroup.ts';
import { declareLoop } from './loop-metrics.ts';

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Defaults of prom-client that walk every open handle at each scrape. With 8,000 sessions they took 15 of its
 * 17.6 ms of CPU, and the chat waits meanwhile. `chat_sessions` says the same at no cost.
 */
const costlyDefaults = ['nodejs_active_handles', 'nodejs_active_resources', 'nodejs_active_requests']
  .flatMap((name) => [name, `${name}_total`])
  .concat('process_open_fds');
/** It counts only the first of the collections that were made in one turn of the event loop. */
const wrongDefaults = ['nodejs_gc_duration_seconds'];

/** Buckets of the times that a message spends on its way, in seconds. */
export const latencyBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

type Observed = { sessions(): number; rooms(): number; waiting(): number };

/**
 * Declares the metrics in a registry of their own; the gauges read `observed` at each scrape. `loop` is the
 * number of this process among the workers.
 */
export function createMetrics(stage: string, observed: Observed, loop = 0) {
  const registry = createProcessRegistry(stage, loop);
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, registers, labelNames: [...labelNames] });
  declareGauge(registry, 'chat_sessions', 'Sessions that are open', observed.sessions);
  declareGauge(registry, 'chat_rooms', 'Rooms that have sessions, in each process', observed.rooms);
  declareGauge(registry, 'chat_handshakes_waiting', 'Newcomers who wait for their turn', observed.waiting);

  return {
    registry,
    messagesReceived: counter('chat_messages_received_total', 'Messages that the server accepted'),
    deliveries: counter('chat_deliveries_total', 'Frames handed to the sockets of recipients'),
    deliveredBytes: counter('chat_delivered_bytes_total', 'Bytes of the frames handed to sockets'),
    writes: counter('chat_writes_total', 'Writes to sockets that carried chat frames'),
    partialWrites: counter('chat_writes_partial_total', 'Those that the kernel did not take whole at once'),
    evictions: counter('chat_evictions_total', 'Sessions closed on purpose by the server', ['reason']),
    rejections: counter('chat_rejections_total', 'Connections that were not let in', ['reason']),
    closes: counter('chat_closes_total', 'Sessions ended, by close code', ['code']),
    senderPauses: counter(
      'chat_sender_pauses_total',
      'Times when a session that sends was not read for a while, because the backplane was behind',
    ),
    fanOutSeconds: new Histogram({
      name: 'chat_fan_out_seconds',
      help: 'From the oldest message of a round to the last write of that round',
      registers,
      buckets: latencyBuckets,
    }),
  };
}

/** A registry with what every process of the server tells of itself, whatever it does. */
export function createProcessRegistry(stage: string, loop = 0): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of [...costlyDefaults, ...wrongDefaults]) registry.removeSingleMetric(name);
  new Gauge({
    name: 'chat_build_info',
    help: 'Always 1; the labels name the stage and the version of Node',
    registers: [registry],
    aggregator: 'first',
    labelNames: ['stage', 'node'],
  }).set({ stage, node: process.version }, 1);
  declareGauge(registry, 'process_open_fds', 'Open file descriptors; 0: not known', countOpenFiles);
  declareCgroup(registry);
  declareLoop(registry, loop);
  return registry;
}

/** Declares the metrics that a supervisor exports beside the sums of its workers. */
export function createSupervisorMetrics(readyWorkers: () => number) {
  const registry = new Registry();
  declareGauge(registry, 'chat_workers_ready', 'Workers that accept sessions', readyWorkers);
  const [name, help] = ['chat_worker_restarts_total', 'Workers that ended and were started again'];
  return { registry, restarts: new Counter({ name, help, registers: [registry] }) };
}

/** Without a walk over them: since Linux 6.2 the directory says its size. Undefined elsewhere. */
function countOpenFiles(): number | undefined {
  const size = statSync('/proc/self/fd', { throwIfNoEntry: false })?.size ?? 0;
  return size > 0 ? size : undefined;
}

/** Declares the kernel's view of the process; a limit of 0 is none. */
function declareCgroup(registry: Registry): void {
  let reading: CgroupReading | undefined;
  for (const [field, name, help] of cgroupGauges) {
    const read = () => {
      if (field === cgroupGauges[0]![0]) reading = readCgroup(); // The first one reads for all of them.
      return reading?.[field];
    };
    // Workers share one cgroup, so each of them reads the values of all.
    declareGauge(registry, name, help, read, 'first');
  }
}

const cgroupGauges: readonly [field: keyof CgroupReading, name: string, help: string][] = [
  ['cpuLimitCores', 'chat_cgroup_cpu_limit_cores', 'CPU quota in cores; 0: none'],
  ['cpuPeriodsTotal', 'chat_cgroup_cpu_periods_total', 'Quota periods that have passed'],
  ['cpuThrottledPeriodsTotal', 'chat_cgroup_cpu_throttled_periods_total', 'Quota periods cut short'],
  ['cpuThrottledSecondsTotal', 'chat_cgroup_cpu_throttled_seconds_total', 'Time stopped by the CPU quota'],
  ['memoryBytes', 'chat_cgroup_memory_bytes', 'Memory charged to the cgroup'],
  ['memoryLimitBytes', 'chat_cgroup_memory_limit_bytes', 'Memory limit of the cgroup; 0: none'],
];

function declareGauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | undefined,
  aggregator: Aggregator = 'sum',
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    aggregator,
    collect() {
      const value = read();
      if (value !== undefined) this.set(value);
    },
  });
}

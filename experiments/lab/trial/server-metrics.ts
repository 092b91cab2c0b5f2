/** Reads metrics from the answers of a server's internal port. */

/** A duration in milliseconds from a `Server-Timing` header (W3C); null where it has no such entry. */
export function readServerTiming(header: string | null, name: string): number | null {
  for (const entry of (header ?? '').split(',')) {
    const [metric, ...parameters] = entry.split(';').map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith('dur='));
    if (metric === name && duration !== undefined) return Number(duration.slice('dur='.length));
  }
  return null;
}

/** The sum of all samples of a metric in Prometheus text, with any labels; null where there is none. */
export function readMetric(text: string, metric: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${metric} `) && !line.startsWith(`${metric}{`)) continue;
    const [value] = line
      .slice(Math.max(metric.length, line.lastIndexOf('}') + 1))
      .trim()
      .split(' ');
    sum = (sum ?? 0) + Number(value);
  }
  return sum;
}

/** The metrics of one node at one time. Null where the server does not export one. */
export type ServerMetrics = {
  eventLoopLagMsP99: number | null;
  heapUsedBytes: number | null;
  sessions: number | null;
  /** Null where the kernel does not count them. */
  openFiles: number | null;
  evictions: number | null;
  /** Of a node with one process per core; null for one that is one loop. */
  workersReady: number | null;
  /** Messages that were accepted from sessions. */
  accepted: number | null;
  backplaneRead: number | null;
  /** Entries of the logs of partitions that were read; those without a message for a session of the node. */
  entriesRead: number | null;
  entriesUnused: number | null;
  deliveries: number | null;
  deliveredBytes: number | null;
  writes: number | null;
  partialWrites: number | null;
  gcSeconds: number | null;
  /** Time of each event loop, by its number; empty where the server does not count it. */
  loops: ReadonlyMap<string, { activeSeconds: number; idleSeconds: number }>;
};

export function readServerMetrics(text: string): ServerMetrics {
  const read = (metric: string) => {
    const value = readMetric(text, metric);
    return Number.isNaN(value) ? null : value;
  };
  const lagSeconds = read('nodejs_eventloop_lag_p99_seconds');
  return {
    // A loop that was blocked all the time has an empty histogram, which prom-client shows as almost 0.
    eventLoopLagMsP99:
      lagSeconds === null || lagSeconds < 1e-5 ? null : Number((lagSeconds * 1000).toFixed(3)),
    heapUsedBytes: read('nodejs_heap_size_used_bytes'),
    sessions: read('chat_sessions'),
    openFiles: read('process_open_fds') || null,
    evictions: read('chat_evictions_total'),
    workersReady: read('chat_workers_ready'),
    accepted: read('chat_messages_received_total'),
    backplaneRead: read('chat_backplane_messages_read_total'),
    entriesRead: read('chat_partition_entries_read_total'),
    entriesUnused: read('chat_partition_entries_unused_total'),
    deliveries: read('chat_deliveries_total'),
    deliveredBytes: read('chat_delivered_bytes_total'),
    writes: read('chat_writes_total'),
    partialWrites: read('chat_writes_partial_total'),
    gcSeconds: read('chat_gc_seconds_total'),
    loops: readLoops(text),
  };
}

function readLoops(text: string): ServerMetrics['loops'] {
  const secondsOf = (state: string) => {
    const line = new RegExp(`^chat_event_loop_${state}_seconds_total\\{loop="(\\d+)"\\} (\\S+)$`, 'gm');
    return new Map([...text.matchAll(line)].map(([, loop, seconds]) => [loop!, Number(seconds)]));
  };
  const idle = secondsOf('idle');
  const loops = [...secondsOf('active')].map(
    ([loop, activeSeconds]) => [loop, { activeSeconds, idleSeconds: idle.get(loop) ?? 0 }] as const,
  );
  return new Map(loops);
}

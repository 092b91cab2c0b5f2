/** The metrics of the partitions that a node reads, and of the people who resume. */
import { Counter, Gauge, Registry } from 'prom-client';

export type PartitionMeter = ReturnType<typeof createPartitionMeter>;

/** Declares the metrics in the registry. The default is one that nothing reads, for tests. */
export function createPartitionMeter(registry = new Registry()) {
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name, help, registers: [registry], labelNames });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  return {
    read: gauge('chat_partition_read', 'Partitions that this process reads'),
    entries: counter('chat_partition_entries_read_total', 'Entries read from the logs of partitions'),
    bytes: counter('chat_partition_bytes_read_total', 'Bytes of the batches in them'),
    entriesUnused: counter(
      'chat_partition_entries_unused_total',
      'Those of them that had no message for a session here: read for nothing',
    ),
    lagBytes: gauge('chat_partition_lag_bytes', 'Bytes of the logs behind the cursors of this process'),
    logBytes: gauge('chat_partition_log_bytes', 'Bytes that Redis keeps of the logs read here'),
    tailBytes: gauge('chat_partition_tail_bytes', 'Memory of the newest entries that this process keeps'),
    historyReads: counter('chat_partition_history_reads_total', 'Times that older entries were read back'),
    historyBytes: counter('chat_partition_history_bytes_total', 'Bytes of the batches read back'),
    gaps: counter(
      'chat_partition_gaps_total',
      'Logs that broke off: their sessions here were told to reconnect, by reason',
      ['reason'],
    ),
    resumes: counter('chat_resume_total', 'Joins that asked for a position, by outcome', ['outcome']),
  };
}

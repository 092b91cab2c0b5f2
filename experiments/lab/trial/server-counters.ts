/** What the servers counted themselves during a measure phase. */
import type { ServerCounters } from '../records/schema.ts';
import { readMetric } from './server-metrics.ts';

const metricOf = {
  accepted: 'chat_messages_received_total',
  deliveries: 'chat_deliveries_total',
  deliveredBytes: 'chat_delivered_bytes_total',
  writes: 'chat_writes_total',
  backplaneRead: 'chat_backplane_messages_read_total',
} as const satisfies Record<keyof ServerCounters, string>;

/**
 * Growth between the first and the last answer of each node, summed over the nodes. Null where one of them
 * answered fewer than twice: ratios of other nodes would not be those of all.
 */
export function countersOf(
  readings: readonly { name: string; text: string }[],
  nodes: number,
): ServerCounters | null {
  const answered = readings.filter(({ text }) => text !== '');
  const ends = [...Map.groupBy(answered, ({ name }) => name).values()].filter(({ length }) => length > 1);
  if (ends.length < nodes) return null;
  const grown = (metric: string) => {
    const growths = ends.map((ofNode) => {
      const [first, last] = [ofNode[0]!, ofNode.at(-1)!].map(({ text }) => readMetric(text, metric));
      return first === null || last === null ? null : Math.max(0, last! - first!);
    });
    return growths.includes(null) ? null : growths.reduce<number>((sum, growth) => sum + growth!, 0);
  };
  const { accepted, deliveries, deliveredBytes, writes, backplaneRead } = metricOf;
  const figures = [accepted, deliveries, deliveredBytes, writes].map(grown);
  // Another server than ours: it exports none of these.
  if (figures.includes(null)) return null;
  const [acceptedMessages, frames, bytes, socketWrites] = figures as number[];
  return {
    accepted: acceptedMessages!,
    deliveries: frames!,
    deliveredBytes: bytes!,
    writes: socketWrites!,
    backplaneRead: grown(backplaneRead),
  };
}

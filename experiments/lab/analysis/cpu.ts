/** What deliveries cost the servers in CPU, and how it is spread over nodes. Pure. */
import type { TrialRecord } from '../records/schema.ts';

/**
 * Deliveries for each CPU second of all server nodes together, measure phase; null where CPU could not be seen. It takes the
 * simulator's cost out, and the machine's core count: what stages can be compared by where they share cores.
 */
export function deliveriesPerCpuSecond({ loadtest, server }: TrialRecord): number | null {
  if (loadtest === null || server === null || server.cpuCores === 0) return null;
  return loadtest.deliveriesPerSecond / server.cpuCores;
}

/** Mean cores of each server node and service in the measure phase: `node-1 0.61, node-2 0.58, redis 0.04`. */
export function cpuByNode({ nodes, loadtest }: TrialRecord): string {
  const endSeconds = loadtest?.workload.durationSeconds ?? Number.POSITIVE_INFINITY;
  return nodes
    .map(({ name, atSeconds, cpuCores }) => {
      const measured = cpuCores.filter(
        (_, index) => atSeconds[index]! > 0 && atSeconds[index]! <= endSeconds,
      );
      const mean = measured.reduce((sum, cores) => sum + cores, 0) / measured.length;
      return `${name} ${measured.length === 0 ? '–' : mean.toFixed(2)}`;
    })
    .join(', ');
}

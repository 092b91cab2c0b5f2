/** CPU cost of deliveries, and how it is spread over nodes. Pure. */
import type { TrialRecord } from '../records/schema.ts';

/**
 * Deliveries per CPU second of all server nodes, measure phase; null where CPU was not observed. It contains
 * neither the cost of the simulator nor the number of cores, so that stages that share cores can be compared
 * by it.
 */
export function deliveriesPerCpuSecond({ loadtest, server }: TrialRecord): number | null {
  if (loadtest === null || server === null || server.cpuCores === 0) return null;
  return loadtest.deliveriesPerSecond / server.cpuCores;
}

/**
 * Mean cores of each server node and service in the measure phase: `node-1 0.61, node-2 0.58, redis 0.04`.
 */
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

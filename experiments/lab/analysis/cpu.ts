/** CPU cost of deliveries, and how it is spread over nodes. Pure. */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { TrialRecord } from '../records/schema.ts';
import { meanOf } from './statistics.ts';

/** Deliveries per CPU second of all server nodes in the measure phase; null where CPU was not observed. */
export function deliveriesPerCpuSecond({ loadtest, server }: TrialRecord): number | null {
  if (loadtest === null || server === null || server.cpuCores === 0) return null;
  return loadtest.deliveriesPerSecond / server.cpuCores;
}

/** Mean cores of the simulator in the measure phase. */
export function instrumentCores({ instrument, workload }: LoadtestResult): number {
  return instrument.cpuSeconds / workload.durationSeconds;
}

/** Mean cores of each node and service in the measure phase: `node-1 0.61, node-2 0.58, redis 0.04`. */
export function cpuByNode({ nodes, loadtest }: TrialRecord): string {
  const endSeconds = loadtest?.workload.durationSeconds ?? Number.POSITIVE_INFINITY;
  const means = nodes.map(({ name, atSeconds, cpuCores }) => {
    const measured = cpuCores.filter((_, index) => atSeconds[index]! > 0 && atSeconds[index]! <= endSeconds);
    return `${name} ${measured.length === 0 ? '–' : meanOf(measured).toFixed(2)}`;
  });
  return means.join(', ');
}

/** The readings of a deployment that a sampler takes, and the choice of those of a time. Pure. */
import type { HostReading } from '#host/cpu.ts';
import type { NodeSample } from '../deployment/deployment.ts';
import type { ServerMetrics } from './server-metrics.ts';

/** Nodes, services, simulator and machine at one time. */
export type UsageReading = {
  atMs: number;
  samples: NodeSample[];
  /** CPU time of the simulator that was started last; null where there is none, or it cannot be seen. */
  simulatorCpuSeconds: number | null;
  host: HostReading;
};

/** Null where the node did not answer in time; `cpuMs` also where it does not report it. */
export type MetricsReading = {
  atMs: number;
  /** Of the node. */
  name: string;
  scrapeMs: number | null;
  cpuMs: number | null;
  metrics: ServerMetrics | null;
};

type Timed = { atMs: number };

/** Those since a time, and the last one before it. */
export function since<Reading extends Timed>(readings: readonly Reading[], fromMs: number): Reading[] {
  const first = readings.findIndex(({ atMs }) => atMs >= fromMs);
  return first === -1 ? readings.slice(-1) : readings.slice(Math.max(0, first - 1));
}

/** Those between two times. */
export function within<Reading extends Timed>(
  readings: readonly Reading[],
  fromMs: number,
  toMs: number,
): Reading[] {
  return readings.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
}

export function isServer({ role }: NodeSample): boolean {
  return role === 'server';
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

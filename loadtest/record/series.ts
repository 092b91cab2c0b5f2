/** The run second by second, as observers see it and as the result file keeps it. */
import type { LatencyCounts } from './latency-counts.ts';

/** One second of the run, of all workers together. */
export type Second = {
  /** Seconds since the measure phase began. */
  atSeconds: number;
  sent: number;
  deliveries: number;
  deliveryLatencyMsP50: number;
  deliveryLatencyMsP99: number;
  deliveryLatencyMsMax: number;
  deliveryLatencyCounts: LatencyCounts;
  scheduleLagMsP99: number;
  instrumentCpuCores: number;
  sessionsOpen: number;
};

/** One value per second of the run, warm-up and drain included. All arrays have the length of `atSeconds`. */
export type Series = {
  /** Seconds since the measure phase began; negative during the warm-up. */
  atSeconds: number[];
  sentPerSecond: number[];
  deliveriesPerSecond: number[];
  deliveryLatencyMsP50: number[];
  deliveryLatencyMsP99: number[];
  deliveryLatencyMsMax: number[];
  /** How the latencies of each second lie; absent in old results. */
  deliveryLatencyCounts?: LatencyCounts[];
  scheduleLagMsP99: number[];
  /** Of all workers together, in cores. */
  instrumentCpuCores: number[];
  sessionsOpen: number[];
};

/** The columns of these seconds. */
export function seriesOf(seconds: readonly Second[]): Series {
  const column = <Value>(of: (second: Second) => Value) => seconds.map(of);
  return {
    atSeconds: column((s) => s.atSeconds),
    sentPerSecond: column((s) => s.sent),
    deliveriesPerSecond: column((s) => s.deliveries),
    deliveryLatencyMsP50: column((s) => s.deliveryLatencyMsP50),
    deliveryLatencyMsP99: column((s) => s.deliveryLatencyMsP99),
    deliveryLatencyMsMax: column((s) => s.deliveryLatencyMsMax),
    deliveryLatencyCounts: column((s) => s.deliveryLatencyCounts),
    scheduleLagMsP99: column((s) => s.scheduleLagMsP99),
    instrumentCpuCores: column((s) => s.instrumentCpuCores),
    sessionsOpen: column((s) => s.sessionsOpen),
  };
}

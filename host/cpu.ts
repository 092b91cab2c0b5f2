/** CPU time of the whole machine, so that a report can say how much of it was not the experiment's. */
import { cpus } from 'node:os';

/** Seconds since boot or start: only differences between two readings have a meaning. */
export type HostReading = {
  /** Of all cores, without interrupts: there the kernel handles the experiment's own loopback traffic. */
  busySeconds: number;
  /** Of this process. */
  labSeconds: number;
};

export function readHost(): HostReading {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys, 0);
  const { user, system } = process.cpuUsage();
  return { busySeconds: busyMs / 1000, labSeconds: (user + system) / 1e6 };
}

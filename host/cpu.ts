/** What the whole machine does, so that a report can say what was not the experiment's own. */
import { cpus } from 'node:os';

/** Seconds since boot or start; only differences mean something. */
export type HostReading = {
  /** Of all cores, without interrupts: the kernel's work for loopback traffic belongs to nobody else. */
  busySeconds: number;
  /** Of the lab's own process. */
  labSeconds: number;
};

export function readHost(): HostReading {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys, 0);
  const { user, system } = process.cpuUsage();
  return { busySeconds: busyMs / 1000, labSeconds: (user + system) / 1e6 };
}

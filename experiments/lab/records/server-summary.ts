/** What the servers of a trial used and did, and what else the machine did meanwhile: part of the schema. */

/** Sums over the server nodes, measure phase only. */
export type ServerSummary = {
  cpuCores: number;
  /** Of the services beside the servers (Redis, a proxy), which are in none of the other figures. */
  serviceCpuCores: number;
  /**
   * Of everything that is neither server, service, simulator nor lab: what the machine's CPUs were not idle
   * for, less what those used. Null where the machine does not tell (no /proc). In old results almost always
   * 0: interrupts were left out of what was subtracted from.
   */
  otherCpuCores: number | null;
  /** Wanted, while the hypervisor ran other machines; absent in old results, and without /proc. */
  stealCpuCores?: number;
  /** Of the lab itself, which samples, scrapes and times the internal port; absent in old results. */
  labCpuCores?: number;
  /** In interrupts, as far as the kernel counts them apart. They are also in the figures of their cause. */
  interruptCpuCores?: number;
  /** On the CPUs that the servers are pinned to: all else, steal included; null where they are not pinned. */
  besideServerCpuCores?: number | null;
  /** The same on the CPUs of the simulator. */
  besideSimulatorCpuCores?: number | null;
  /**
   * How many of the servers' threads were ready and waited for a CPU, on average. Linux may count the time
   * that a quota held them back. Absent where it cannot be seen, and in old results.
   */
  runDelayCores?: number;
  /** Processes of all server nodes, where they can be counted from outside; a container counts as one. */
  processes: number;
  /** Event loops of all server nodes, as they report; absent in old results. */
  eventLoops?: number;
  /** After start, before the first session. */
  rssIdleBytes: number;
  rssMaxBytes: number;
  throttledShare: number | null;
  eventLoopLagMsP99: number | null;
  scrapeMsMax: number | null;
  /** Mean CPU time of a scrape on the event loop, as the server reports; absent in old results. */
  scrapeCpuMs?: number | null;
  evictions: number;
  /** Bytes of chat frames for each write; null where the server does not count, absent in old results. */
  bytesPerWrite?: number | null;
  messagesPerWrite?: number | null;
  /** Messages that all nodes or workers read from the backplane for one that was said; null without one. */
  messagesReadPerSaid?: number | null;
  /**
   * Share of the entries that were read from the logs of partitions and had no message for a session of that
   * node, 0 to 1; null where a stage has no such logs, absent in old results.
   */
  unusedReadShare?: number | null;
  /** Of those writes, which the kernel did not take whole at once: the socket was full. 0 to 1. */
  partialWriteShare?: number | null;
  /** Share of its time in which the busiest event loop was not idle, 0 to 1. */
  eventLoopUtilization?: number | null;
  /** Share of the event loops' time in which garbage collection stopped them, 0 to 1. */
  gcShare?: number | null;
};

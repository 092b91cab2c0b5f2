/** Resource usage of this process: read at the beginning and at the end of the measure phase. */
import { readCgroup } from '#host/cgroup.ts';

/** One reading. All but the memory are totals since the process began. */
export type UsageMark = {
  cpuUs: number;
  threadCpuUs: number;
  atUs: number;
  loopIdleMs: number;
  throttledUs: number;
  rssBytes: number;
};

/** Usage between two readings; the memory is that of the second one. */
export type WorkerUsage = {
  cpuUs: number;
  threadCpuUs: number;
  elapsedUs: number;
  /** How long the event loop had nothing to do. */
  loopIdleUs: number;
  rssBytes: number;
  throttledUs: number;
};

/** Reads the usage of this process now. */
export function markUsage(): UsageMark {
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  return {
    cpuUs: cpu.user + cpu.system,
    threadCpuUs: thread.user + thread.system,
    atUs: performance.now() * 1000,
    loopIdleMs: performance.eventLoopUtilization().idle,
    throttledUs: (readCgroup()?.cpuThrottledSecondsTotal ?? 0) * 1e6,
    rssBytes: process.memoryUsage.rss(),
  };
}

/** The usage between two marks. */
export function usageBetween(from: UsageMark, to: UsageMark): WorkerUsage {
  return {
    cpuUs: to.cpuUs - from.cpuUs,
    threadCpuUs: to.threadCpuUs - from.threadCpuUs,
    elapsedUs: to.atUs - from.atUs,
    loopIdleUs: (to.loopIdleMs - from.loopIdleMs) * 1000,
    throttledUs: to.throttledUs - from.throttledUs,
    rssBytes: to.rssBytes,
  };
}

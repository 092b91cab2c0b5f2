/** What this process uses: read at the beginning and at the end of the measure phase. */

import { readCgroup } from '../result/environment.ts';
import type { WorkerUsage } from '../run/worker-messages.ts';

/** The vital signs of this process at one moment, all but the memory counted since it began. */
export type UsageMark = {
  cpuUs: number;
  threadCpuUs: number;
  atUs: number;
  loopIdleMs: number;
  throttledUs: number;
  rssBytes: number;
};

/** Reads them. */
export function markUsage(): UsageMark {
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  return {
    cpuUs: cpu.user + cpu.system,
    threadCpuUs: thread.user + thread.system,
    atUs: performance.now() * 1000,
    loopIdleMs: performance.eventLoopUtilization().idle,
    throttledUs: readCgroup().throttledUs,
    rssBytes: process.memoryUsage.rss(),
  };
}

/** What a worker used between two marks. */
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

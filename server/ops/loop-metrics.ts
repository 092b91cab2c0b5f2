/** What an event loop does with its time: running, waiting, collecting garbage. Labels name the worker. */
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { Counter, type Registry } from 'prom-client';

/** Declares the counters of this process; `loop` is its number among the workers, 0 where there is one. */
export function declareLoop(registry: Registry, loop: number): void {
  const declare = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      labelNames: ['loop'],
      collect() {
        this.reset();
        this.inc({ loop }, read());
      },
    });
  const readLoop = performance.eventLoopUtilization;
  declare(
    'chat_event_loop_active_seconds_total',
    'Time in which the event loop ran, or was ready to run',
    () => readLoop().active / 1000,
  );
  declare(
    'chat_event_loop_idle_seconds_total',
    'Time in which the event loop waited for something to do',
    () => readLoop().idle / 1000,
  );
  const gcMs = countGarbageCollection();
  declare('chat_gc_seconds_total', 'Time in which garbage collection stopped the event loop', () => {
    return gcMs() / 1000;
  });
}

function countGarbageCollection(): () => number {
  let totalMs = 0;
  // All entries: prom-client's own histogram of collections counts the first of each list only.
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) totalMs += duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => totalMs;
}

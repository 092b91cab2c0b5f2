/** CPU, memory and throttling of every part of the running trial as metrics of the lab, without cAdvisor. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { PartUsage } from '../deployment/deployment.ts';

/** Registers metrics that show the newest readings at each scrape. Nodes and roles are few and fixed. */
export function exportUsage(registry: Registry, newest: () => readonly PartUsage[]): void {
  const labelNames = ['node', 'role'];
  const registers = [registry];
  const labelsOf = ({ name, role }: PartUsage) => ({ node: name, role });
  new Counter({
    name: 'experiment_container_cpu_seconds_total',
    help: 'CPU time of a container of the trial, or of its processes where it has no container.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const part of newest()) this.inc(labelsOf(part), part.cpuSeconds);
    },
  });
  new Gauge({
    name: 'experiment_container_memory_bytes',
    help: 'Memory of the same that cannot be dropped: without the page cache.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const part of newest()) this.set(labelsOf(part), part.rssBytes);
    },
  });
  new Counter({
    name: 'experiment_container_throttled_seconds_total',
    help: 'Time for which a used-up CPU quota held the same back; absent where no quota can be seen.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const part of newest())
        if (part.throttledSeconds !== null) this.inc(labelsOf(part), part.throttledSeconds);
    },
  });
}

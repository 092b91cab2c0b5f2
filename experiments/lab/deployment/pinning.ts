/**
 * Which CPUs each part of a deployment may run on, so that simulator and servers do not take turns on one
 * CPU.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU lists as engines and `taskset` spell them, e.g. `0,1`; undefined leaves it to the scheduler. */
export type Pins = { servers: readonly (string | undefined)[]; simulator: string | undefined };

/**
 * Cores are asked for in fractions or whole; undefined asks for no limit. Where there are enough CPUs, each
 * part gets its own. Where there are not, the simulator still does and the servers share the others, because
 * a simulator that waits for the servers measures its own delay. Nothing is pinned where a part asks for no
 * limit, because a pin would be one, nor where the simulator would leave no CPU.
 */
export function pinning(
  cpus: readonly number[],
  servers: readonly (number | undefined)[],
  simulator: number | undefined,
): Pins {
  const whole = (cores: number | undefined) => Math.ceil(cores ?? Number.POSITIVE_INFINITY);
  const counts = servers.map(whole);
  const left = cpus.length - whole(simulator);
  const wanted = counts.reduce((sum, count) => sum + count, 0);
  if (left < 1 || wanted === Number.POSITIVE_INFINITY)
    return { servers: servers.map(() => undefined), simulator: undefined };
  const simulators = cpus.slice(left).join(',');
  if (wanted > left)
    return { servers: servers.map(() => cpus.slice(0, left).join(',')), simulator: simulators };
  const own = counts.map((count, index) => {
    const taken = counts.slice(0, index).reduce((sum, before) => sum + before, 0);
    return cpus.slice(taken, taken + count).join(',');
  });
  return { servers: own, simulator: simulators };
}

/** Number of CPUs that the servers are pinned to, all together; null where they are not pinned. */
export function pinnedServerCores({ servers, simulator }: Pins): number | null {
  if (simulator === undefined) return null;
  return new Set(servers.flatMap((list) => list?.split(',') ?? [])).size;
}

/** One line about the pins for the result file. */
export function describePins({ servers, simulator }: Pins): string {
  if (simulator === undefined) return 'none';
  return `server ${[...new Set(servers)].join(' and ')}, simulator ${simulator}`;
}

/**
 * The CPUs that this process may run on, as Linux tells them; empty elsewhere, and where `taskset` is
 * missing.
 */
export function pinnableCpus(): number[] {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) return [];
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return list === undefined ? [] : parseCpuList(list);
}

/** Reads a list as the kernel writes it, such as `0-2,5`. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

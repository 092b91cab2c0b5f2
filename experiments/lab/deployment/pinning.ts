/** Which CPUs each part of a deployment may run on, so that simulator and servers do not share one. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU lists as engines and `taskset` spell them, e.g. `0,1`; undefined leaves it to the scheduler. */
export type Pins = {
  servers: readonly (string | undefined)[];
  /** Of Redis, a balancer and a media server. */
  services: string | undefined;
  simulator: string | undefined;
};

/**
 * Cores are asked for in fractions or whole; undefined asks for no limit. Each part gets its own CPUs. Where
 * there are too few, the servers share what the simulator leaves, because a simulator that waits for the
 * servers measures its own delay. Services get the CPUs that servers and simulator leave, or else those of
 * the servers, for the same reason. Nothing is pinned where a part asks for no limit, because a pin would be
 * one, nor where the simulator would leave no CPU.
 */
export function pinning(
  cpus: readonly number[],
  servers: readonly (number | undefined)[],
  simulator: number | undefined,
): Pins {
  const whole = (cores = Number.POSITIVE_INFINITY) => Math.ceil(cores);
  const left = cpus.length - whole(simulator);
  const counts = servers.map(whole);
  const wanted = counts.reduce((sum, count) => sum + count, 0);
  if (left < 1 || wanted === Number.POSITIVE_INFINITY)
    return { servers: servers.map(() => undefined), services: undefined, simulator: undefined };
  let taken = 0;
  const own = counts.map((count) => {
    if (wanted > left) return cpus.slice(0, left).join(',');
    taken += count;
    return cpus.slice(taken - count, taken).join(',');
  });
  const services = cpus.slice(wanted < left ? wanted : 0, left).join(',');
  return { servers: own, services, simulator: cpus.slice(left).join(',') };
}

/** Number of CPUs that the servers are pinned to, all together; null where they are not pinned. */
export function pinnedServerCores({ servers, simulator }: Pins): number | null {
  if (simulator === undefined) return null;
  return new Set(servers.flatMap((list) => list?.split(',') ?? [])).size;
}

/** One line about the pins for the result file. */
export function describePins({ servers, services, simulator }: Pins, hasServices = false): string {
  if (simulator === undefined) return 'none';
  const beside = hasServices ? `, services ${services}` : '';
  return `server ${[...new Set(servers)].join(' and ')}${beside}, simulator ${simulator}`;
}

/** What precedes the command line of a process that may run on these CPUs only; undefined is any. */
export function launcherOn(cpus: string | undefined): string[] {
  return cpus === undefined ? [] : ['taskset', '--cpu-list', cpus];
}

/** The CPUs that this process may run on; empty where there is no Linux or no `taskset`. */
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

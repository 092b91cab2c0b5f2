/** Compares the limits that the kernel enforces with those that were asked for. Pure. */
import type { ObservedLimits } from './deployment.ts';
import type { NodeRequest } from './site.ts';

/** The kernel rejects a shorter quota in a period; the engine passes that on. */
const quotaMsMin = 1;
/** The kernel's own bounds on the length of a period. */
const periodMsMax = 1000;

type Asked = Pick<NodeRequest, 'cpus' | 'cpuPeriodMs' | 'memoryMb'>;

/** Why the limits in force are not those asked for; null where they are. A missing one asks for no limit. */
export function differenceOfLimits(asked: Asked, found: ObservedLimits): string | null {
  const { cpus, cpuPeriodMs, memoryMb } = asked;
  const { cpuCores, memoryBytes, cpuPeriodMs: periodMs } = found;
  if (cpus !== undefined && (Math.abs((cpuCores ?? 0) - cpus) > 0.01 || periodMs !== cpuPeriodMs)) {
    const inForce = cpuCores === null ? 'none' : `${cpuCores} cores in periods of ${periodMs} ms`;
    return notInForce('CPU', `${cpus} cores in periods of ${cpuPeriodMs} ms`, inForce);
  }
  if (memoryMb !== undefined && memoryBytes !== memoryMb * 2 ** 20)
    return notInForce('memory', `${memoryMb} MiB`, `${memoryBytes} bytes`);
  return null;
}

function notInForce(what: string, asked: string, found: string): string {
  return `The ${what} limit is not in force: asked for ${asked}, the cgroup has ${found}.`;
}

/** A sentence where the kernel would refuse this quota in periods of this length; null where it would not. */
export function faultOfQuota(cpus: number, periodMs: number): string | null {
  if (cpus * periodMs >= quotaMsMin && periodMs <= periodMsMax) return null;
  const given = `${cpus} cores in periods of ${periodMs} ms`;
  return `Choose another --cpu-period: required up to ${periodMsMax}, and long enough that the quota is ${quotaMsMin} ms of each period; given ${given}.`;
}

/** File descriptors of this process: how many it may have, and how many it has (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** The soft limit; Node raises it to the hard one at its start. Infinite where there is none or no /proc. */
export function descriptorLimit(limits = '/proc/self/limits'): number {
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync(limits, 'utf8')) ?? [];
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Descriptors that are open now; 0 without /proc. */
export function openDescriptors(directory = '/proc/self/fd'): number {
  try {
    return readdirSync(directory).length;
  } catch {
    return 0;
  }
}

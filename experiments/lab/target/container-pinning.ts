/** Which CPUs each container may run on, so that the instrument and what it measures do not take turns on one. */

/**
 * CPU sets in the engine's spelling, one for each wish in cores, none overlapping. All undefined where the machine has
 * not enough, or where a wish is: a container without a limit would be given one by its pinning.
 */
export function pinning(cpus: number, wishes: readonly (number | undefined)[]): (string | undefined)[] {
  const counts = wishes.map((cores) => Math.ceil(cores ?? Number.POSITIVE_INFINITY));
  if (counts.reduce((sum, count) => sum + count, 0) > cpus) return wishes.map(() => undefined);
  let next = 0;
  return counts.map((count) => {
    const own = Array.from({ length: count }, () => String(next++));
    return own.join(',');
  });
}

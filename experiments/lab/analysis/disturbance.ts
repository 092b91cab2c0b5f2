/** Whether something else used the machine so much that a trial says nothing. Pure. */
import type { ServerSummary } from '../records/schema.ts';

/** Chosen, not measured: a fifth of a box of half a core. */
const disturbingCores = 0.1;
/**
 * Of the lab, which samples and scrapes in every trial alike: only what is above it disturbs. Measured on two
 * cores: 0.03 to 0.05 with one node, half of it for walking /proc.
 */
const labCoresOrdinary = 0.1;

/**
 * Why the trial is void: other processes, the hypervisor and the lab took more than 0.1 cores together. With
 * pinned CPUs only what was used there counts. Null for a quiet machine, and where it cannot be seen.
 */
export function disturbanceOf(server: ServerSummary): string | null {
  const { otherCpuCores: other, stealCpuCores: steal = 0, labCpuCores: lab = 0 } = server;
  const { besideServerCpuCores: besideServer = null, besideSimulatorCpuCores: besideSimulator = null } =
    server;
  if (other === null) return null;
  const anywhere = other + steal + Math.max(0, lab - labCoresOrdinary);
  const pinned = besideServer !== null && besideSimulator !== null;
  const felt = pinned ? Math.min(anywhere, besideServer + besideSimulator) : anywhere;
  if (felt <= disturbingCores) return null;
  const text = (cores: number) => cores.toFixed(2);
  const where = pinned
    ? ` (beside the server on its CPUs ${text(besideServer)}, beside the simulator on its own ${text(besideSimulator)})`
    : '';
  return `the machine was not quiet: other processes used ${text(other)} cores, the hypervisor took ${text(steal)}, the lab used ${text(lab)}${where}; at most ${text(disturbingCores)} may be disturbed`;
}

/** Where servers and simulator of a run are placed. */
import type { Placement, TargetKind } from '../deployment/deployment.ts';
import { prepareContainers } from '../deployment/start.ts';
import { InputError } from '../input-error.ts';

/**
 * Prepares containers where they are needed. `isForced`: the user or the experiment asked for this target, so
 * that missing containers are an `InputError`; else processes replace them.
 */
export async function readyPlacement(
  target: TargetKind,
  simulator: TargetKind | undefined,
  isForced: boolean,
  usesSimulator: boolean,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<Placement> {
  if (!usesSimulator && simulator !== undefined)
    throw new InputError(['Leave out --simulator: this experiment uses clients of the lab instead.']);
  if (target === 'process' && simulator !== 'container') return { target, simulator: 'process' };
  const fault = await prepareContainers(signal, print);
  if (fault === null) return { target, simulator: simulator ?? target };
  if (isForced || simulator === 'container')
    throw new InputError([`Start a container engine, or choose --target process: ${fault}`]);
  print(`Running as processes, because containers are not available: ${fault}`);
  return { target: 'process', simulator: 'process' };
}

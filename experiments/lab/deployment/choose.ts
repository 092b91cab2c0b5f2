/** Which target a run gets, and how it is started for a stage. Container code is loaded only where it is used. */

import { type StartTarget, TargetError, type TargetKind } from './deployment.ts';
import { startProcessTarget } from './process.ts';

/** What `--target` asks for, else what the experiment prefers, else containers where an engine answers. */
export async function chooseTarget(
  asked: TargetKind | undefined,
  preferred: TargetKind | undefined,
): Promise<TargetKind> {
  if (asked !== undefined) return asked;
  if (preferred !== undefined) return preferred;
  return (await engineFault()) === null ? 'container' : 'process';
}

/**
 * Has the image that a run in containers needs, so that it is not built in the middle of the first trial. Returns why
 * it cannot be had, null where it can.
 */
export async function prepareContainers(
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<string | null> {
  const [{ findEngine }, { ensureImage }] = await Promise.all([
    import('./container-engine.ts'),
    import('./container-image.ts'),
  ]);
  const found = await findEngine();
  if (!found.found) return `no container engine answers: ${found.why}`;
  try {
    await ensureImage(found.engine, signal, (name) => print(`building ${name}, once for these sources …`));
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TargetError) return error.message;
    throw error;
  }
}

/** Why containers cannot be had here; null where an engine answers. */
export async function engineFault(): Promise<string | null> {
  const { findEngine } = await import('./container-engine.ts');
  const found = await findEngine();
  return found.found ? null : found.why;
}

/** How targets of that kind are started for a stage that needs these services. */
export function targetStarter(kind: TargetKind, needs: readonly string[]): StartTarget {
  if (kind === 'process') return (request) => startProcessTarget(request, needs);
  return async (request) => {
    const { startContainerTarget } = await import('./container.ts');
    return startContainerTarget(request, needs);
  };
}

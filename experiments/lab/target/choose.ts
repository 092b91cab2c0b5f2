/** Which target a run gets, and how it is started for a stage. Container code is loaded only where it is used. */
import { startProcessTarget } from './process.ts';
import type { StartTarget, TargetKind } from './target.ts';

/** What `--target` asks for, else what the experiment prefers, else containers where an engine answers. */
export async function chooseTarget(
  asked: TargetKind | undefined,
  preferred: TargetKind | undefined,
): Promise<TargetKind> {
  if (asked !== undefined) return asked;
  if (preferred !== undefined) return preferred;
  return (await engineFault()) === null ? 'container' : 'process';
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

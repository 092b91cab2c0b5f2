/** Which target a run gets, and how it is started for a stage. */
import { startProcessTarget } from './process.ts';
import type { StartTarget, TargetKind } from './target.ts';

/** How targets of that kind are started for a stage that needs these services. */
export function targetStarter(kind: TargetKind, needs: readonly string[]): StartTarget {
  if (kind === 'container') throw new Error('container targets are not there yet');
  return (request) => startProcessTarget(request, needs);
}

/** Freezes all server nodes for a moment in the middle of a trial: how long a load takes to recover. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployedNode } from '../deployment/deployment.ts';

/** When in the measure phase, and for how long. */
export type Freeze = { atSeconds: number; seconds: number };

/**
 * Begins when the measure phase does. `ended` resolves with the freeze as it really was: from the answer to
 * the request to stop, to the answer to the request to go on. Null without a measure phase, and where a node
 * could not be stopped, because it had ended.
 */
export function freezeAll(
  nodes: readonly DeployedNode[],
  { atSeconds, seconds }: Freeze,
): { enter(phase: string): void; readonly ended: Promise<Freeze | null> } {
  let ended: Promise<Freeze | null> = Promise.resolve(null);
  const freeze = async () => {
    const measureMs = performance.now();
    await sleep(atSeconds * 1000);
    await Promise.all(nodes.map((node) => node.freeze()));
    const frozenMs = performance.now();
    await sleep(seconds * 1000);
    await Promise.all(nodes.map((node) => node.thaw()));
    const toSeconds = (ms: number) => Number((ms / 1000).toFixed(3));
    return { atSeconds: toSeconds(frozenMs - measureMs), seconds: toSeconds(performance.now() - frozenMs) };
  };
  return {
    enter: (phase) => {
      if (phase === 'measure') ended = freeze().catch(() => null);
    },
    get ended() {
      return ended;
    },
  };
}

/** Checks before a trial whose clients ask where to connect that every node knows all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployedNode } from '../deployment/deployment.ts';
import { readMetric } from './server-metrics.ts';

const intervalMs = 100;

/**
 * Resolves when each node reports all of these as living. Until then one of them would send nobody to a node
 * that has just started. Rejects after `deadlineMs`, with what the nodes report.
 */
export async function allKnown(
  nodes: readonly Pick<DeployedNode, 'name' | 'internalUrl'>[],
  signal: AbortSignal,
  deadlineMs = 10_000,
): Promise<void> {
  const deadlineAtMs = performance.now() + deadlineMs;
  for (;;) {
    const known = await Promise.all(nodes.map(({ internalUrl }) => membersKnownBy(internalUrl, signal)));
    if (known.every((members) => members === nodes.length)) return;
    if (performance.now() > deadlineAtMs) {
      const report = nodes.map(({ name }, index) => `${name} knows ${known[index] ?? 'none'}`).join(', ');
      throw new Error(
        `After ${deadlineMs / 1000} s the nodes do not know each other, so that clients cannot be seated: required ${nodes.length} nodes; ${report}.`,
      );
    }
    await sleep(intervalMs, undefined, { signal });
  }
}

/** Null where the node has no such metric. */
async function membersKnownBy(internalUrl: string, signal: AbortSignal): Promise<number | null> {
  const response = await fetch(`${internalUrl}/metrics`, { signal });
  return readMetric(await response.text(), 'chat_members');
}

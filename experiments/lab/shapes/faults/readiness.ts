/** Polls /readyz of every node many times a second, as a load balancer does. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployedNode } from '../../deployment/deployment.ts';

const intervalMs = 25;
const timeoutMs = 250;

export class ReadinessWatch implements Disposable {
  readonly #changes = new Map<string, { atMs: number; ready: boolean }[]>();
  #stopped = false;

  constructor(nodes: readonly DeployedNode[]) {
    for (const node of nodes) {
      this.#changes.set(node.name, []);
      void this.#follow(node);
    }
  }

  ready(node: string): boolean {
    return this.#changes.get(node)?.at(-1)?.ready ?? false;
  }

  /** The last state that the node reported before that time. */
  readyAt(node: string, atMs: number): boolean {
    return this.#changes.get(node)?.findLast((change) => change.atMs <= atMs)?.ready ?? false;
  }

  /** From the fault until the first node reported not ready, and until the last one reported ready again. */
  since(faultAtMs: number): { unreadyAfterMs: number | null; readyAgainAfterMs: number | null } {
    const changes = [...this.#changes.values()].flat().filter(({ atMs }) => atMs >= faultAtMs);
    const timesOf = (state: boolean) =>
      changes.filter(({ ready }) => ready === state).map(({ atMs }) => atMs);
    const [unready, ready] = [timesOf(false), timesOf(true)];
    return {
      unreadyAfterMs: unready.length === 0 ? null : Math.min(...unready) - faultAtMs,
      readyAgainAfterMs: ready.length === 0 ? null : Math.max(...ready) - faultAtMs,
    };
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
  }

  async #follow({ name, internalUrl }: DeployedNode): Promise<void> {
    const changes = this.#changes.get(name)!;
    while (!this.#stopped) {
      const ready = await isReady(`${internalUrl}/readyz`);
      if (changes.at(-1)?.ready !== ready) changes.push({ atMs: performance.now(), ready });
      await sleep(intervalMs);
    }
  }
}

/** A node that does not answer, or not in time, is not ready. */
async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

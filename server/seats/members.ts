/** Members: tells the others that this node lives, and knows who else does. */
import { decodeLivingNode, encodeLivingNode, type LivingNode } from './living-node.ts';
import type { Registry } from './registry.ts';

/** Chosen, not measured: a dead node is out of every list after at most 3 s + 1 s. */
export const renewIntervalMs = 1_000;
const ttlMs = 3_000;

/**
 * Chosen, not measured. While Redis is away nobody can say who lives, so the last list goes on that long.
 * After that it is empty: a client that asks where to go is told that no node is known (503).
 */
export const keptMsMax = 30_000;

export type MembersOptions = {
  readonly registry: Registry;
  /** Key of the list, which the signatures contain. */
  readonly key: string;
  readonly secret: string;
  /** What this node says about itself now. */
  readonly self: () => LivingNode;
  /** Called with every new list; two with the same nodes may follow each other. */
  readonly changed: (nodes: readonly LivingNode[]) => void;
  /** A monotonic clock in ms; for tests. */
  readonly nowMs?: () => number;
};

export class Members {
  readonly #options: Required<MembersOptions>;
  #read: readonly LivingNode[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** Nodes of before an outage of Redis, each of which may still come back; undefined where none was. */
  #before: readonly LivingNode[] | undefined;
  #beforeUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;

  constructor(options: MembersOptions) {
    this.#options = { nowMs: () => performance.now(), ...options };
  }

  /** The nodes that live, this one included, by address. Empty when nobody could say so for long. */
  get nodes(): readonly LivingNode[] {
    if (this.#ageMs() > keptMsMax) return [];
    const self = this.#options.self();
    const others = new Map(this.#before?.map((node) => [node.url, node]));
    for (const node of this.#read) others.set(node.url, node);
    others.set(self.url, self);
    return [...others.values()].toSorted((a, b) => (a.url < b.url ? -1 : 1));
  }

  /** True while the list is of these days: nobody in it can be dead for longer than its time to live. */
  get fresh(): boolean {
    return this.#ageMs() <= ttlMs;
  }

  /** Renews once, then every second. Resolves also where Redis did not answer: the next renewal may do. */
  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(() => void this.renew(), renewIntervalMs);
  }

  /** Says now how this node is, and reads the list. One that is under way already is waited for instead. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Says how this node is as of now, although an older word about it may be under way. */
  async renewAfresh(): Promise<void> {
    await this.#renewing;
    await this.renew();
  }

  /** Takes this node out of the list, so that the others need not wait for it to expire. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    await this.#options.registry.remove(this.#options.self().url).catch(() => {});
    this.#options.registry.close();
  }

  async #renew(): Promise<void> {
    const { registry, key, secret, self, changed, nowMs } = this.#options;
    const own = self();
    try {
      const texts = await registry.renew(own.url, encodeLivingNode(own, key, secret), ttlMs);
      const read = texts.flatMap((text) => decodeLivingNode(text, key, secret) ?? []);
      this.#take(read, nowMs());
    } catch {
      // Redis is away: the list grows old, and `nodes` and `fresh` say so.
    }
    changed(this.nodes);
  }

  /**
   * After an outage the first node that comes back finds an empty list, or removes from it all who could not
   * renew either. So those of before count as living for as long as they may need to come back.
   */
  #take(read: readonly LivingNode[], nowMs: number): void {
    if (nowMs - this.#readAtMs > ttlMs) {
      this.#before = this.nodes;
      this.#beforeUntilMs = nowMs + ttlMs;
    }
    if (nowMs >= this.#beforeUntilMs) this.#before = undefined;
    this.#read = read;
    this.#readAtMs = nowMs;
  }

  #ageMs(): number {
    return this.#options.nowMs() - this.#readAtMs;
  }
}

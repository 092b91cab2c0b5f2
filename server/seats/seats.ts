/**
 * Seats: on which node the people of a partition should sit. Pure: all nodes compute the same from the same
 * list of living nodes.
 *
 * Rendezvous hashing (Thaler and Ravishankar 1998): each node has a score for each partition, and the highest
 * score wins, so a node that comes or goes concerns its own share only. Bounded load after Mirrokni,
 * Thorup and Zadimoghaddam (2018): no node gets more than `loadFactor` times the mean number of partitions.
 */

/** Which node is in which place for each partition. */
export class SeatTable {
  readonly #urls: readonly string[];
  readonly #seeds: readonly number[];
  /** Index of the first node of each partition. */
  readonly #first: readonly number[];
  /** The order of the other nodes is asked for rarely, so it is made on demand. */
  readonly #orders = new Map<number, readonly string[]>();

  /** `urls`: the nodes that people may be seated on, by their public addresses, each once, in any order. */
  constructor(urls: readonly string[], partitions: number, loadFactor: number) {
    this.#urls = urls.toSorted();
    this.#seeds = this.#urls.map(hashOf);
    this.#first = firstSeats(this.#seeds, partitions, loadFactor);
  }

  /**
   * All nodes, the best for the partition first. The first is bounded in load; the others follow by score,
   * for a partition that needs several nodes, and for the case that the first is full.
   */
  order(partition: number): readonly string[] {
    let order = this.#orders.get(partition);
    if (!order) {
      const rest = this.#urls.map((url, node) => ({ url, node }));
      const [first] = rest.splice(this.#first[partition] ?? 0, 1);
      rest.sort((a, b) => scoreOf(this.#seeds, b.node, partition) - scoreOf(this.#seeds, a.node, partition));
      order = first ? [first.url, ...rest.map(({ url }) => url)] : [];
      this.#orders.set(partition, order);
    }
    return order;
  }
}

/**
 * On how many nodes the people of one partition sit: one up to `sessionsMax` of them, then two, four, …: a
 * room that is too large for one node's writes is spread on purpose. Doubling keeps the number steady.
 */
export function seatCount(sessions: number, sessionsMax: number): number {
  let count = 1;
  while (count * sessionsMax < sessions) count *= 2;
  return count;
}

/**
 * Gives the pairs of node and partition their places in the order of their scores, over all partitions at
 * once. If each partition chose in turn, one change could push all partitions after it to other nodes.
 */
function firstSeats(seeds: readonly number[], partitions: number, loadFactor: number): number[] {
  const boundPartitions = Math.ceil((loadFactor * partitions) / seeds.length);
  const pairs = seeds.flatMap((_, node) =>
    Array.from({ length: partitions }, (_, partition) => {
      return { node, partition, score: scoreOf(seeds, node, partition) };
    }),
  );
  pairs.sort((a, b) => b.score - a.score || a.node - b.node || a.partition - b.partition);
  const first: number[] = [];
  const held = seeds.map(() => 0);
  for (const { node, partition } of pairs) {
    if (first[partition] !== undefined || held[node]! >= boundPartitions) continue;
    first[partition] = node;
    held[node]!++;
  }
  return first;
}

/** A score from 0 to 2^32 - 1, as if drawn at random for each pair. */
function scoreOf(seeds: readonly number[], node: number, partition: number): number {
  return mix(seeds[node]! ^ mix(partition + 0x9e3779b9));
}

/** FNV-1a with 32 bits, over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The finalizer of MurmurHash3 with 32 bits: every bit of the input changes half of the bits. */
function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Placement: where the people of a partition should sit now, by the list of living nodes. It is a hint: any
 * node serves any room, at a higher price. So an old list costs work and never a message.
 */
import type { LivingNode } from './living-node.ts';
import { SeatTable, seatCount } from './seats.ts';

export type PlacementOptions = {
  readonly partitions: number;
  /** Largest number of partitions that a node may have, as a multiple of the mean. */
  readonly loadFactor: number;
  /** Sessions of one partition from which it sits on two nodes; from twice as many on four, and so on. */
  readonly seatSessionsMax: number;
};

/** Chosen, not measured: a node of a spread partition keeps up to so many times its share of the sessions. */
const shareTolerance = 1.25;

type Place = {
  readonly node: LivingNode;
  /** People whom this node has sent there since the list was read, who are not counted in it yet. */
  given: number;
  /** By partition: people who seem to be on their way there, sent by any node, and are not counted yet. */
  readonly coming: Map<number, number>;
};

export class Placement {
  readonly #options: PlacementOptions;
  #table: SeatTable;
  /** Tables that pass over one node, by its address; made on demand, one per node at most. */
  readonly #tablesWithout = new Map<string, SeatTable>();
  /** The nodes that let people in, by address. */
  #places: ReadonlyMap<string, Place> = new Map();
  #sessions: ReadonlyMap<number, number> = new Map();

  constructor(options: PlacementOptions) {
    this.#options = options;
    this.#table = this.#tableOf([]);
  }

  /** Takes a new list of living nodes. */
  update(nodes: readonly LivingNode[]): void {
    const accepting = nodes.filter((node) => node.accepting);
    const urls = accepting.map(({ url }) => url);
    if (urls.length !== this.#places.size || urls.some((url) => !this.#places.has(url))) {
      this.#table = this.#tableOf(urls);
      this.#tablesWithout.clear();
    }
    const before = this.#places;
    this.#places = new Map(
      accepting.map((node) => [
        node.url,
        { node, given: 0, coming: stillComing(before.get(node.url), node) },
      ]),
    );
    const sessions = new Map<number, number>();
    for (const { sessionsByPartition } of nodes) {
      for (const [partition, count] of sessionsByPartition)
        sessions.set(partition, (sessions.get(partition) ?? 0) + count);
    }
    this.#sessions = sessions;
  }

  /**
   * The address of the node that the next person of a partition should go to; undefined where no node has a
   * place. `not`: the address of a node that this person could not reach. The answer is the node that all
   * others will name too, once that one is out of the list.
   */
  seat(partition: number, not?: string): string | undefined {
    const order = this.#order(partition, not);
    const seats = order.slice(0, this.#seatCount(this.#expected(partition)));
    const place = this.#leastHeld(seats, partition) ?? this.#withPlace(order)[0];
    if (!place) return undefined;
    place.given++;
    // The other nodes are asked as often, and send as many there before the next list tells of it.
    place.coming.set(partition, (place.coming.get(partition) ?? 0) + this.#places.size);
    return place.node.url;
  }

  /** True where people of the partition should sit on that node. */
  isSeat(partition: number, url: string): boolean {
    const seats = this.#seatCount(this.#sessions.get(partition) ?? 0);
    return this.#order(partition).slice(0, seats).includes(url);
  }

  /**
   * How many of the sessions of a partition on that node should move, and to which node (for a spread
   * partition: one of them). The bounds are looser than those for newcomers, so that a number of sessions
   * near a bound moves nobody to and fro.
   */
  surplus(partition: number, url: string, sessions: number): { count: number; to: string } | undefined {
    const order = this.#order(partition);
    const total = Math.max(sessions, this.#sessions.get(partition) ?? 0);
    const seats = order.slice(0, this.#seatCount(total));
    const to = this.#withPlace(seats.filter((seat) => seat !== url))[0]?.node.url;
    if (to === undefined) return undefined;
    const mayStay = order.slice(0, this.#seatCount(2 * total));
    if (!mayStay.includes(url)) return { count: sessions, to };
    const keeps = seats.includes(url) ? (shareTolerance * total) / seats.length : sessions;
    const count = Math.floor(sessions - keeps);
    return count > 0 ? { count, to } : undefined;
  }

  /** The sessions of a partition, with those who are on their way. */
  #expected(partition: number): number {
    let sessions = this.#sessions.get(partition) ?? 0;
    for (const { coming } of this.#places.values()) sessions += coming.get(partition) ?? 0;
    return sessions;
  }

  #seatCount(sessions: number): number {
    return seatCount(sessions, this.#options.seatSessionsMax);
  }

  #order(partition: number, not?: string): readonly string[] {
    if (not === undefined || !this.#places.has(not)) return this.#table.order(partition);
    let table = this.#tablesWithout.get(not);
    if (!table) {
      table = this.#tableOf([...this.#places.keys()].filter((url) => url !== not));
      this.#tablesWithout.set(not, table);
    }
    return table.order(partition);
  }

  #tableOf(urls: readonly string[]): SeatTable {
    return new SeatTable(urls, this.#options.partitions, this.#options.loadFactor);
  }

  #withPlace(order: readonly string[]): Place[] {
    return order
      .map((url) => this.#places.get(url)!)
      .filter(({ node, given }) => node.sessions + given < node.sessionsMax);
  }

  /** The node with a place that has the fewest sessions of the partition; the first of several. */
  #leastHeld(seats: readonly string[], partition: number): Place | undefined {
    let best: Place | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const place of this.#withPlace(seats)) {
      const counted = place.node.sessionsByPartition.get(partition) ?? 0;
      const held = counted + (place.coming.get(partition) ?? 0);
      if (held >= fewest) continue;
      best = place;
      fewest = held;
    }
    return best;
  }
}

/**
 * Simulated with 4 nodes and a room of 1,000 to 5,000 that joins at 100 to 5,000 people/s, each of them
 * within 0.02 to 1.5 s of the answer: with 0.75 the fullest node has 1.10 times the mean, with 0.5 it has
 * 1.20 times.
 */
const stillComingShare = 0.75;

/**
 * Who was on the way there at the last list and is not counted in the new one. What a list says is up to a
 * second older than itself, and some people never arrive: so a share of them is forgotten with each list.
 */
function stillComing(before: Place | undefined, { sessionsByPartition }: LivingNode): Map<number, number> {
  const still = new Map<number, number>();
  if (!before) return still;
  for (const [partition, coming] of before.coming) {
    const counted = before.node.sessionsByPartition.get(partition) ?? 0;
    const missing = counted + coming - (sessionsByPartition.get(partition) ?? 0);
    const left = Math.floor(stillComingShare * Math.min(coming, missing));
    if (left > 0) still.set(partition, left);
  }
  return still;
}

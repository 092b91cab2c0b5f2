/** Nodes that answer `GET /connect` at the same time, each with a list that is somewhat old: a simulation. */
import type { LivingNode } from './living-node.ts';
import { renewIntervalMs } from './members.ts';
import { Placement } from './placement.ts';

export type Crowd = {
  nodes: number;
  /** How many of the nodes are asked, in turn. */
  asked: number;
  people: number;
  perSecond: number;
  /** Longest time from the answer until a person has joined, in ms. */
  joinMsMax: number;
  seatSessionsMax: number;
  /** The partition of the next person. */
  partition: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
};

const partitions = 64;

/** Seats all of them one after the other. Returns the sessions of each node. */
export function seatCrowd(crowd: Crowd): number[] {
  const urls = Array.from({ length: crowd.nodes }, (_, i) => `ws://10.0.0.${i + 1}:${8000 + i}`);
  const held = new Map(urls.map((url) => [url, new Map<number, number>()]));
  const told = new Map<string, LivingNode>();
  const placements = urls.map(
    () => new Placement({ partitions, loadFactor: 1, seatSessionsMax: crowd.seatSessionsMax }),
  );
  const tell = (url: string) => {
    const sessionsByPartition = new Map(held.get(url));
    const sessions = sumOf(sessionsByPartition);
    told.set(url, { url, accepting: true, sessions, sessionsMax: 100_000, sessionsByPartition });
  };
  const read = (index: number) => placements[index]!.update([...told.values()]);
  for (const url of urls) tell(url);
  for (const index of urls.keys()) read(index);
  // What happens when: renewals, each node at its own times, joins, and arrivals.
  const phases = urls.map(() => crowd.random() * renewIntervalMs);
  const arrivals: { atMs: number; url: string; partition: number }[] = [];
  let joined = 0;
  for (let nowMs = 0; joined < crowd.people || arrivals.length > 0; nowMs++) {
    phases.forEach((phase, index) => {
      if (nowMs < phase || Math.floor(nowMs - phase) % renewIntervalMs !== 0) return;
      tell(urls[index]!);
      read(index);
    });
    for (; joined < Math.min(crowd.people, (nowMs * crowd.perSecond) / 1000); joined++) {
      const partition = crowd.partition();
      const url = placements[joined % crowd.asked]!.seat(partition)!;
      arrivals.push({ atMs: nowMs + crowd.random() * crowd.joinMsMax, url, partition });
    }
    for (let i = arrivals.length - 1; i >= 0; i--) {
      const { atMs, url, partition } = arrivals[i]!;
      if (atMs > nowMs) continue;
      const there = held.get(url)!;
      there.set(partition, (there.get(partition) ?? 0) + 1);
      arrivals.splice(i, 1);
    }
  }
  return urls.map((url) => sumOf(held.get(url)!));
}

function sumOf(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

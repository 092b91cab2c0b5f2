/** Moves: closes sessions that should sit on another node, at a paced rate, so that they go there (4012). */
import type { LocalSessions } from '../seats/local-sessions.ts';
import type { Placement } from '../seats/placement.ts';
import { Allowance } from './allowance.ts';

/** Time between two batches of moves, in ms; chosen, not measured. */
export const moveIntervalMs = 100;

/** `open`: false once it is being closed. */
type Movable = { readonly open: boolean };

type MovesOptions<S extends Movable> = {
  readonly placement: Placement;
  readonly local: LocalSessions<S>;
  /** Moves per second; 0: none. */
  readonly perSecondMax: number;
  /** Time for which another node must have been the seat before its people are moved there. */
  readonly stableMs: number;
  /** Asks the session to go. */
  readonly move: (session: S) => void;
};

export class Moves<S extends Movable> {
  readonly #options: MovesOptions<S>;
  readonly #allowance: Allowance;
  /** Partitions of which people should sit elsewhere: where, and since when. */
  #surplus = new Map<number, { to: string; sinceMs: number; count: number }>();

  /** `nowMs`: the present time of the monotonic clock that the methods are given. */
  constructor(options: MovesOptions<S>, nowMs: number) {
    this.#options = options;
    const burst = Math.max(1, Math.ceil((options.perSecondMax * moveIntervalMs) / 1000));
    this.#allowance = new Allowance(options.perSecondMax, burst, nowMs);
  }

  /** Call it with every new list of nodes. `url`: this node. */
  review(url: string, nowMs: number): void {
    const { placement, local } = this.#options;
    const before = this.#surplus;
    this.#surplus = new Map();
    for (const [partition, sessions] of local.counts()) {
      if (placement.isSeat(partition, url)) local.settle(partition);
      const surplus = placement.surplus(partition, url, sessions);
      if (!surplus) continue;
      const known = before.get(partition);
      const sinceMs = known?.to === surplus.to ? known.sinceMs : nowMs;
      this.#surplus.set(partition, { ...surplus, sinceMs });
    }
  }

  /** Moves nobody until the next review: nobody knows where to. */
  pause(): void {
    this.#surplus.clear();
  }

  /** Moves those whose seat has been elsewhere for long enough, as many as the pace allows. */
  tick(nowMs: number): void {
    const { local, perSecondMax, stableMs, move } = this.#options;
    if (perSecondMax === 0) return;
    for (const [partition, surplus] of this.#surplus) {
      if (nowMs - surplus.sinceMs < stableMs) continue;
      for (const session of local.movable(partition)) {
        if (surplus.count === 0) break;
        if (!session.open) continue;
        if (!this.#allowance.take(nowMs)) return;
        move(session);
        surplus.count--;
      }
    }
  }
}

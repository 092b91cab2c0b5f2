/**
 * Counts attempts by key (a user, an address), each of which is forgotten some time later. The table is of
 * this process: a chat of N nodes allows N times as many, and a flood costs the store nothing. The table is
 * bounded; the key that was counted longest ago makes place for a new one. To push a key out takes as many
 * attempts with other keys as the table has places.
 */

type Counted = { attempts: number; atMs: number; underWay: number };

/** Chosen, not measured: some 2 MB for each table. */
const keysMax = 10_000;
/** The wait where attempts that are under way may still be good. Chosen, not measured. */
const underWayMs = 1_000;

export class Attempts {
  readonly #max: number;
  readonly #expiryMs: number;
  readonly #keysMax: number;
  /** The last counted is the last of the map. */
  readonly #counted = new Map<string, Counted>();

  /** `max` attempts at once; one of them is forgotten after each `expiryMs`. */
  constructor(max: number, expiryMs: number, keys = keysMax) {
    this.#max = max;
    this.#expiryMs = expiryMs;
    this.#keysMax = keys;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#counted.size;
  }

  /** How long this key must wait for its next attempt, in ms; 0: it may now. `nowMs`: a monotonic clock. */
  waitMs(key: string, nowMs: number): number {
    const attempts = this.#attemptsOf(key, nowMs);
    if (attempts + 1 <= this.#max) return 0;
    const failed = attempts - this.#underWayOf(key);
    return failed + 1 <= this.#max ? underWayMs : Math.ceil((failed + 1 - this.#max) * this.#expiryMs);
  }

  /** Counts an attempt. `end` follows. */
  begin(key: string, nowMs: number): void {
    const [attempts, underWay] = [this.#attemptsOf(key, nowMs) + 1, this.#underWayOf(key) + 1];
    this.#counted.delete(key);
    if (this.#counted.size >= this.#keysMax) {
      const [oldest] = this.#counted.keys();
      this.#counted.delete(oldest!);
    }
    this.#counted.set(key, { attempts, atMs: nowMs, underWay });
  }

  /** An attempt has ended; one that is good is taken back. */
  end(key: string, nowMs: number, isGood: boolean): void {
    if (!this.#counted.has(key)) return;
    const underWay = Math.max(0, this.#underWayOf(key) - 1);
    const attempts = this.#attemptsOf(key, nowMs) - (isGood ? 1 : 0);
    if (attempts <= 0 && underWay === 0) this.#counted.delete(key);
    else this.#counted.set(key, { attempts: Math.max(0, attempts), atMs: nowMs, underWay });
  }

  #underWayOf(key: string): number {
    return this.#counted.get(key)?.underWay ?? 0;
  }

  #attemptsOf(key: string, nowMs: number): number {
    const counted = this.#counted.get(key);
    return counted ? Math.max(0, counted.attempts - (nowMs - counted.atMs) / this.#expiryMs) : 0;
  }
}

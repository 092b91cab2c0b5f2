/**
 * Counts attempts by key (a user, an address), each of which is forgotten some time later. The table is of
 * this process: a chat of N nodes allows N times as many, and a flood costs the store nothing. The table is
 * bounded; the key that was counted longest ago makes place for a new one. To push a key out takes as many
 * attempts with other keys as the table has places.
 */

type Counted = { attempts: number; atMs: number };

/** Chosen, not measured: some 2 MB for each table. */
const keysMax = 10_000;

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
    return attempts + 1 <= this.#max ? 0 : Math.ceil((attempts + 1 - this.#max) * this.#expiryMs);
  }

  /** Counts an attempt. */
  count(key: string, nowMs: number): void {
    const attempts = this.#attemptsOf(key, nowMs) + 1;
    this.#counted.delete(key);
    if (this.#counted.size >= this.#keysMax) {
      const [oldest] = this.#counted.keys();
      this.#counted.delete(oldest!);
    }
    this.#counted.set(key, { attempts, atMs: nowMs });
  }

  /** Takes an attempt back: it was a good one. */
  forgive(key: string, nowMs: number): void {
    const attempts = this.#attemptsOf(key, nowMs) - 1;
    if (attempts <= 0) this.#counted.delete(key);
    else if (this.#counted.has(key)) this.#counted.set(key, { attempts, atMs: nowMs });
  }

  #attemptsOf(key: string, nowMs: number): number {
    const counted = this.#counted.get(key);
    return counted ? Math.max(0, counted.attempts - (nowMs - counted.atMs) / this.#expiryMs) : 0;
  }
}

/** How the time of a run is shared by its searches. Pure. */

/**
 * Gives each of several searches, one after the other, an equal share of the time that is left: what one took
 * beyond its share, or left of it, is the others'. Times are in ms of a monotonic clock.
 */
export class TimeShares {
  #leftMs: number;
  #searchesLeft: number;
  #sinceMs: number | undefined;

  constructor(totalMs: number, searches: number) {
    this.#leftMs = totalMs;
    this.#searchesLeft = searches;
  }

  /** The next search begins: when it must end. What comes until the following one is of its time. */
  begin(nowMs: number): number {
    this.#leftMs -= nowMs - (this.#sinceMs ?? nowMs);
    this.#sinceMs = nowMs;
    const shareMs = Math.max(0, this.#leftMs) / Math.max(1, this.#searchesLeft--);
    return nowMs + shareMs;
  }

  /** So much of the time since then was spent on something else. */
  exempt(spentMs: number): void {
    this.#leftMs += spentMs;
  }
}

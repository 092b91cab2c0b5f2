/** Hot path. What a peer may send: so many at once, and so many per second on average (a token bucket). */

export class Allowance {
  readonly #perSecondMax: number;
  readonly #burstMax: number;
  #left: number;
  #refilledAtMs: number;

  /** `nowMs`: the present time of the monotonic clock that `take` is asked with. */
  constructor(perSecondMax: number, burstMax: number, nowMs: number) {
    this.#perSecondMax = perSecondMax;
    this.#burstMax = burstMax;
    this.#left = burstMax;
    this.#refilledAtMs = nowMs;
  }

  /** Takes one. False: the allowance is used up. */
  take(nowMs: number): boolean {
    if (this.#burstMax === Number.POSITIVE_INFINITY) return true; // Infinity times 0 ms is not a number.
    const refilled = this.#left + ((nowMs - this.#refilledAtMs) / 1000) * this.#perSecondMax;
    this.#left = Math.min(this.#burstMax, refilled);
    this.#refilledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

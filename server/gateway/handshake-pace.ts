/** The pace of handshakes: so many newcomers begin per second, in the order in which they came. */
import { Allowance } from './allowance.ts';

/** Who would wait for longer is refused. Chosen: less than clients usually give a handshake. */
const waitMsMax = 1000;
/** What may begin at once, as time at the pace: a timer is late by some ms. Chosen, not measured. */
const burstMs = 50;

export class HandshakePace {
  readonly #allowance: Allowance;
  readonly #waitingMax: number;
  readonly #turnMs: number;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** `perSecondMax`: handshakes per second; infinite: no newcomer waits. */
  constructor(perSecondMax: number) {
    const burst = Math.max(1, (perSecondMax * burstMs) / 1000);
    this.#allowance = new Allowance(perSecondMax, burst, performance.now());
    this.#waitingMax = Math.ceil((perSecondMax * waitMsMax) / 1000);
    this.#turnMs = 1000 / perSecondMax;
  }

  /** Newcomers who wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** True: a handshake may begin now. */
  take(): boolean {
    return this.#waiting.size === 0 && this.#allowance.take(performance.now());
  }

  /** Calls `begin` when its turn comes. False: too many wait, and it is never called. */
  wait(begin: () => void): boolean {
    if (this.#waiting.size >= this.#waitingMax) return false;
    this.#waiting.add(begin);
    this.#scheduleTurns();
    return true;
  }

  /** Everybody who waits has a turn at once: nobody is let in any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const begin of this.#waiting) begin();
    this.#waiting.clear();
  }

  #scheduleTurns(): void {
    this.#timer ??= setTimeout(() => this.#nextTurns(), this.#turnMs);
  }

  #nextTurns(): void {
    this.#timer = undefined;
    for (const begin of this.#waiting) {
      if (!this.#allowance.take(performance.now())) break;
      this.#waiting.delete(begin);
      begin();
    }
    if (this.#waiting.size > 0) this.#scheduleTurns();
  }
}

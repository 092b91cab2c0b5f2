/** Bounds how many passwords are hashed at the same time, and how many wait for it. */

type Waiting = { readonly start: () => void };

/** How far a new duration moves the mean. Chosen, not measured. */
const meanShare = 0.1;

export class Hashing {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  /** Time that a job takes; 0 before the first one has ended. */
  #meanMs = 0;

  constructor(atOnceMax: number, waitingMax: number) {
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** True while another job would neither run nor wait. */
  get full(): boolean {
    return this.#running >= this.#atOnceMax && this.#waiting.length >= this.#waitingMax;
  }

  /** The time in which those that wait now will have had their turn, in ms; an estimate. */
  get waitMs(): number {
    return ((this.#waiting.length + this.#running) * this.#meanMs) / this.#atOnceMax;
  }

  /**
   * Runs the job when it is its turn. Resolves with undefined where it is not run: there are too many, or
   * nobody wants the result any more when its turn comes.
   */
  async run<T>(job: () => Promise<T>, isWanted: () => boolean = () => true): Promise<T | undefined> {
    if (this.full) return undefined;
    if (this.#running >= this.#atOnceMax) await new Promise<void>((start) => this.#waiting.push({ start }));
    else this.#running++;
    try {
      if (!isWanted()) return undefined;
      const startedAtMs = performance.now();
      const result = await job();
      const tookMs = performance.now() - startedAtMs;
      this.#meanMs += this.#meanMs === 0 ? tookMs : (tookMs - this.#meanMs) * meanShare;
      return result;
    } finally {
      // The place is handed over: who comes in between waits behind those that wait already.
      const next = this.#waiting.shift();
      if (next) next.start();
      else this.#running--;
    }
  }
}

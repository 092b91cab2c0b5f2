/**
 * One clock for all workers: the machine's monotonic clock in microseconds. `process.hrtime` is the same in
 * every process but allocates at each reading. So `performance.now` is read, plus a constant offset.
 */
export class Clock {
  readonly #offsetUs: number;

  constructor() {
    let shortest = Number.POSITIVE_INFINITY;
    let offsetUs = 0;
    // Of 50 readings, the one between the two closest others is the least disturbed by the scheduler.
    for (let i = 0; i < 50; i++) {
      const before = performance.now();
      const commonUs = Number(process.hrtime.bigint()) / 1000;
      const after = performance.now();
      if (after - before >= shortest) continue;
      shortest = after - before;
      offsetUs = commonUs - ((before + after) / 2) * 1000;
    }
    this.#offsetUs = offsetUs;
  }

  /** Microseconds since the machine's own origin, with a fraction. */
  nowUs(): number {
    return performance.now() * 1000 + this.#offsetUs;
  }
}

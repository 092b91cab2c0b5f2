/** Measures how busy the event loop is: a timer that comes late was kept waiting for as long. */

/** Chosen, not measured. */
const sampleIntervalMs = 250;

export class LoopLag {
  /** Lateness of the last sample, in ms. */
  lagMs = 0;
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    let dueAtMs = performance.now() + sampleIntervalMs;
    this.#timer = setInterval(() => {
      this.lagMs = Math.max(0, performance.now() - dueAtMs);
      dueAtMs = performance.now() + sampleIntervalMs;
    }, sampleIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

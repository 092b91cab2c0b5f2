/** Time, passed in so that tests need not wait. */
export type Clock = {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Runs `act` once after the delay; the returned function cancels it. */
  after(delayMs: number, act: () => void): () => void;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

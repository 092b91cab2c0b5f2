/** Finds sessions that have begun something and do not end it in time: a message, or a login. */

/** Ticks in the time that it may take. */
const ticksPerTimeout = 8;

/**
 * The sessions that have begun. Time is counted in ticks of a timer, so that a server that was itself frozen
 * does not take its own pause for the peer's: it reads its sockets before the next tick.
 */
export class Overdue<S> {
  readonly #timeoutMs: number;
  readonly #onLate: (session: S) => void;
  /** The tick at which each began, oldest first. */
  readonly #begun = new Map<S, number>();
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onLate` is called once for a session that takes longer than the timeout (at most an eighth longer). */
  constructor(timeoutMs: number, onLate: (session: S) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
  }

  start(): void {
    if (this.#timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setInterval(() => this.tick(), this.#timeoutMs / ticksPerTimeout).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The session begins now, unless it has begun already. */
  begin(session: S): void {
    if (!this.#begun.has(session)) this.#begun.set(session, this.#tick);
  }

  /** What it has begun has ended, or the session has. */
  end(session: S): void {
    if (this.#begun.size > 0) this.#begun.delete(session);
  }

  /** Ends one tick; public for tests. */
  tick(): void {
    this.#tick++;
    for (const [session, begunAtTick] of this.#begun) {
      if (this.#tick - begunAtTick <= ticksPerTimeout) return;
      this.#begun.delete(session);
      this.#onLate(session);
    }
  }
}

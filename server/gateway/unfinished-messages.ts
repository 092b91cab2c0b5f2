/** Finds messages that a peer began and does not finish. Their bytes are kept for as long as they last. */
import type { WebSocket } from 'ws';

/** Ticks in the time that a message may take. */
const ticksPerTimeout = 8;

/**
 * The sessions with an unfinished message. Time is counted in ticks of a timer, so that a server that was
 * itself frozen does not take its own pause for the peer's: it reads its sockets before the next tick.
 */
export class UnfinishedMessages<S> {
  readonly #timeoutMs: number;
  readonly #onLate: (session: S) => void;
  /** The tick at which each message began, oldest first. */
  readonly #begun = new Map<S, number>();
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onLate` is called once for a message that takes longer than the timeout (at most an eighth longer). */
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

  /** Call after ws has read bytes of the peer. `inside`: they end within a message. */
  received(session: S, inside: boolean): void {
    if (!inside) this.ended(session);
    else if (!this.#begun.has(session)) this.#begun.set(session, this.#tick);
  }

  /** Call at each complete message, and when the session is over. */
  ended(session: S): void {
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

type ReceiverState = { _state: number; _bufferedBytes: number; _fragmented: number };

/**
 * True while the peer is within a message or a frame. ws has no public way to ask for it, and its version is
 * pinned: a test fails where a new one keeps this state elsewhere.
 */
export function isInsideMessage(ws: WebSocket): boolean {
  const { _state, _bufferedBytes, _fragmented } = (ws as unknown as { _receiver: ReceiverState })._receiver;
  return _state !== 0 || _bufferedBytes > 0 || _fragmented !== 0;
}

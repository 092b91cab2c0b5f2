/** The mailbox as this device knows it: each message once and in order, and what the server is told of it. */
import type { Clock } from './clock.ts';

/** Messages that this device never got, and that are gone: their numbers, both included. */
export type Missing = { readonly from: number; readonly to: number };

/** What the mailbox says to the server; each is false while that cannot be sent. */
export type MailboxWire = {
  received(upTo: number): boolean;
  read(peer: string, upTo: number): boolean;
};

/**
 * Acknowledgements go at once after a pause, and together within so many ms: a page of 100 messages costs few
 * frames. Chosen, not measured.
 */
const ackIntervalMs = 50;

export class Mailbox {
  readonly #clock: Clock;
  readonly #wire: MailboxWire;
  #upTo: number | undefined;
  #acknowledged = 0;
  /** By peer: what the person has read, and whether that was sent on this connection. */
  readonly #read = new Map<string, { upTo: number; isSent: boolean }>();
  #cancelAck: (() => void) | undefined;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, wire: MailboxWire) {
    this.#clock = clock;
    this.#wire = wire;
  }

  /** The highest number that this device has; undefined if it has none. */
  get upTo(): number | undefined {
    return this.#upTo;
  }

  /** Goes on with what an earlier page of this device had. */
  restore(upTo: number): void {
    this.#upTo = upTo;
  }

  /**
   * Takes the message with that number. `isNew` is false for one that came before, which is not shown
   * again. `gap`: the messages before it that this device was never sent, nor told of.
   */
  take(seq: number): { readonly isNew: boolean; readonly gap?: Missing } {
    const before = this.#upTo;
    if (before !== undefined && seq <= before) {
      // It was sent again because the acknowledgement was lost.
      this.#acknowledged = 0;
      this.#acknowledge();
      return { isNew: false };
    }
    this.#upTo = seq;
    this.#acknowledge();
    const isGap = before !== undefined && seq > before + 1;
    return { isNew: true, ...(isGap && { gap: { from: before + 1, to: seq - 1 } }) };
  }

  /** The server says that messages are gone. Returns the part that this device does not have. */
  passGap({ from, to }: Missing): Missing | undefined {
    const before = this.#upTo ?? from - 1;
    if (to <= before) return undefined;
    this.#upTo = to;
    this.#acknowledge();
    return { from: Math.max(from, before + 1), to };
  }

  /** The person has seen the message of that peer with that number, and all of theirs before it. */
  markRead(peer: string, upTo: number): void {
    const known = this.#read.get(peer);
    if (known && known.upTo >= upTo) return;
    this.#read.set(peer, { upTo, isSent: false });
    this.#acknowledge();
  }

  /** A login has just succeeded. */
  resume(): void {
    this.#acknowledged = 0;
    this.#flush();
  }

  /** The connection ended: what was said last may not have arrived, so it is said again on the next one. */
  pause(): void {
    this.#cancelAck?.();
    this.#cancelAck = undefined;
    for (const read of this.#read.values()) read.isSent = false;
  }

  /** Forgets everything, when the person is another one. */
  clear(): void {
    this.pause();
    this.#read.clear();
    this.#upTo = undefined;
    this.#acknowledged = 0;
  }

  /** Not before the caller has shown, or kept, what it was given. */
  #acknowledge(): void {
    if (this.#cancelAck) return;
    const waitMs = this.#flushedAtMs + ackIntervalMs - this.#clock.nowMs();
    this.#cancelAck = this.#clock.after(Math.max(0, waitMs), () => {
      this.#cancelAck = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    this.#flushedAtMs = this.#clock.nowMs();
    const upTo = this.#upTo ?? 0;
    if (upTo > this.#acknowledged && this.#wire.received(upTo)) this.#acknowledged = upTo;
    for (const [peer, read] of this.#read) read.isSent ||= this.#wire.read(peer, read.upTo);
  }
}

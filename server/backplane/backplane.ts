/** The backplane carries published messages between the processes of one chat. */
import type { Position } from '#protocol';

export type BackplaneEvents = {
  /** One message for a room here: its encoded JSON, UTF-8. The buffer belongs to the receiver. */
  deliver(room: string, payload: Buffer): void;
  /**
   * Messages may have been missed: all sessions that they were for must be told to reconnect (1012). They
   * were for the rooms that `affects` accepts, or for any. What is delivered after it is not for those
   * sessions.
   */
  gap(reason: string, affects?: (room: string) => boolean): void;
};

/**
 * Bytes that wait to be carried, of the `queueBytesMax` at which `publish` refuses, from which on senders are
 * held. Chosen: far above what waits under a load that a stage can carry, and low enough that one reading of
 * a hundred sockets (64 KiB each) still fits above it.
 */
export const congestedBytes = (queueBytesMax: number) => queueBytesMax / 8;

/** Somebody joins and asks for a position; without one, for that of now. */
export type ResumeRequest = { readonly position: Position | undefined };

/** The answer: the position of the newcomer before the missed messages. */
export type Recovery = Position & {
  /** True: `missed` is everything since the position that was asked for. */
  readonly recovered: boolean;
  /** Payloads, oldest first. The same array for all who missed the same. */
  readonly missed: readonly Buffer[];
};

/**
 * Every implementation guarantees, and the contract suite checks:
 * - a message that `publish` accepts is delivered at most once to every process, the publishing one included,
 *   through the same path everywhere;
 * - messages that one process publishes to one room are delivered everywhere in that order;
 * - when it cannot tell whether something was missed, it calls `gap`: it never loses silently;
 * - nothing is queued without bound: beyond its bound `publish` returns false.
 * Each implementation states whether messages of *different* publishers have one order everywhere.
 */
export interface Backplane {
  /** Connects, subscribes, and from then on reports to `events`. Rejects when it cannot be brought up. */
  start(events: BackplaneEvents): Promise<void>;
  /** A room has its first session here. Most implementations ignore it: they deliver all rooms. */
  want(room: string): void;
  /** A room has lost its last session here: its messages need not be delivered any more. */
  unwant(room: string): void;
  /** Takes a message for a room. False: the queue is full or the link is down (the sender is told 1013). */
  publish(room: string, payload: Buffer): boolean;
  /** True while messages flow; readiness follows it. */
  readonly ready: boolean;
  /** True while more than `congestedBytes` waits to be carried. Left out: nothing ever waits. */
  readonly congested?: boolean;
  /** Only where it needs a service: which one, and why the last attempt failed, without secrets. */
  readonly waitsFor?: string;
  /** Sends the messages that it accepted, then disconnects. */
  close(): Promise<void>;
}

/** A backplane that keeps the messages for a while, so that somebody who was away can resume. */
export interface LogBackplane extends Backplane {
  /**
   * Prepares for somebody who will join a room, and calls back, perhaps at once: true when all that is
   * published from now on will be delivered here and `recover` has an answer; false when that took too long.
   */
  prepare(room: string, request: ResumeRequest | undefined, done: (prepared: boolean) => void): void;
  /**
   * The answer to somebody who joins at this moment: the missed messages end with the newest that was
   * delivered here. Call it within the callback of `prepare`; else it may not know the position.
   */
  recover(room: string, request: ResumeRequest): Recovery;
}

/** The backplane carries published messages between the processes of one chat. */

export type BackplaneEvents = {
  /** One message for a room here: its encoded JSON, UTF-8. The buffer belongs to the receiver. */
  deliver(room: string, payload: Buffer): void;
  /** Messages may have been missed: all sessions that they were for must be told to reconnect (1012). */
  gap(reason: string): void;
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
  /** A room has its first session here. The implementations of today ignore it: they deliver all rooms. */
  want(room: string): void;
  /** A room has lost its last session here: its messages need not be delivered any more. */
  unwant(room: string): void;
  /** Takes a message for a room. False: the queue is full or the link is down (the sender is told 1013). */
  publish(room: string, payload: Buffer): boolean;
  /** True while messages flow; readiness follows it. */
  readonly ready: boolean;
  /** Only where it needs a service: which one, and why the last attempt failed, without secrets. */
  readonly waitsFor?: string;
  /** Sends the messages that it accepted, then disconnects. */
  close(): Promise<void>;
}

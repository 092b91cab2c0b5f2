/** The backplane: what carries published frames between the processes of one chat. */

export type BackplaneEvents = {
  /** One message to be fanned out here: its room and its encoded JSON, UTF-8. The buffer belongs to the receiver. */
  deliver(room: string, payload: Buffer): void;
  /** Messages may have been missed: every session that could have been owed one must be told to come back (1012). */
  interrupted(reason: string): void;
};

/**
 * Guarantees every implementation makes, and the contract suite checks:
 * - what `publish` accepts is delivered at most once to every process, the publishing one included, through the same
 *   path as everybody's;
 * - messages that one process publishes to one room are delivered everywhere in the order of their publishing;
 * - when it cannot tell whether something was missed, it calls `interrupted`: it never loses silently;
 * - nothing is queued without bound: beyond its bound `publish` returns false.
 * Whether messages of *different* publishers have one order everywhere is stated by each implementation.
 */
export interface Backplane {
  /** Connects, subscribes, and from then on reports to `events`. Rejects when it cannot be brought up. */
  start(events: BackplaneEvents): Promise<void>;
  /** Takes a message for a room; false when the queue is full or the link is down (the sender is told 1013). */
  publish(room: string, payload: Buffer): boolean;
  /** True while messages flow; readiness follows it. */
  readonly ready: boolean;
  /** Sends what was accepted, then disconnects. */
  close(): Promise<void>;
}

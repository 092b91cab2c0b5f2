/** The sessions of this node by partition, and which of them may be moved to another node. */

type Sitting<S> = {
  sessions: number;
  /** Sessions that can resume and have not yet been in their seat here. */
  readonly arrived: Set<S>;
  /** Sessions that can resume, and for which this node was the seat at some time since they joined. */
  readonly seated: Set<S>;
};

/**
 * Only a session that was in its seat is ever moved. A client that does not ask where to go may come back to
 * this node, or to any other: to move it again and again would help nobody.
 */
export class LocalSessions<S> {
  readonly #partitions = new Map<number, Sitting<S>>();

  join(session: S, partition: number, resumable: boolean): void {
    let sitting = this.#partitions.get(partition);
    if (!sitting) {
      sitting = { sessions: 0, arrived: new Set(), seated: new Set() };
      this.#partitions.set(partition, sitting);
    }
    sitting.sessions++;
    if (resumable) sitting.arrived.add(session);
  }

  /** Call it once for each session that joined. */
  leave(session: S, partition: number): void {
    const sitting = this.#partitions.get(partition);
    if (!sitting) return;
    sitting.arrived.delete(session);
    sitting.seated.delete(session);
    if (--sitting.sessions === 0) this.#partitions.delete(partition);
  }

  /** The number of sessions of each partition that has any. */
  counts(): ReadonlyMap<number, number> {
    return new Map([...this.#partitions].map(([partition, { sessions }]) => [partition, sessions]));
  }

  /** This node is the seat of the partition. */
  settle(partition: number): void {
    const sitting = this.#partitions.get(partition);
    if (!sitting || sitting.arrived.size === 0) return;
    for (const session of sitting.arrived) sitting.seated.add(session);
    sitting.arrived.clear();
  }

  /** The sessions of a partition that may be moved. */
  movable(partition: number): Iterable<S> {
    return this.#partitions.get(partition)?.seated ?? [];
  }
}

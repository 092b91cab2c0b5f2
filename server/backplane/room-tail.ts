/** What a node knows of one room's log: how far it goes, and its newest messages. */
import { visitBatch } from './batch.ts';
import type { RoomRun } from './stream-entry.ts';

export class RoomTail {
  readonly room: string;
  /** The position at which the room was first counted: it tells one life of a room from another. */
  base: number;
  /** Messages since then. */
  messages: number;
  /** The newest messages, without a hole, oldest first. */
  #runs: RoomRun[] = [];
  /** What was missed since an offset, until the next message: whole rooms come back with the same offset. */
  readonly #missed = new Map<number, readonly Buffer[]>();

  constructor(room: string, base: number, messages: number) {
    this.room = room;
    this.base = base;
    this.messages = messages;
  }

  /** The offset from which on every message is here. */
  get first(): number {
    return this.#runs[0]?.first ?? this.messages;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  append(run: RoomRun): void {
    if (run.base !== this.base || run.first !== this.messages) this.#runs = [];
    this.base = run.base;
    this.messages = run.first + run.messages;
    this.#runs.push(run);
    run.room = this.room;
    this.#forgetMissed();
  }

  /** Adds older messages, oldest first. They are left out where they do not join those that are here. */
  prepend(older: readonly RoomRun[]): void {
    let start = older.length;
    for (let next = this.first; start > 0; start--) {
      const { base, first, messages } = older[start - 1]!;
      if (base !== this.base || first + messages !== next) break;
      next = first;
    }
    const joined = older.slice(start);
    for (const run of joined) run.room = this.room;
    this.#runs = [...joined, ...this.#runs];
    this.#forgetMissed();
  }

  /** The oldest entry of the log is given up; this was the room's part of it. */
  forget(run: RoomRun): void {
    if (this.#runs[0] === run) this.#runs.shift();
    this.#forgetMissed();
  }

  /** The messages from an offset on, which must not be below `first`; undefined: more than so many bytes. */
  missedSince(offset: number, bytesMax: number): readonly Buffer[] | undefined {
    const known = this.#missed.get(offset);
    if (known) return known;
    const missed: Buffer[] = [];
    let bytes = 0;
    for (const { entry, first, messages } of this.#runs) {
      if (first + messages <= offset) continue;
      let next = first;
      visitBatch(entry.batch, (name, payload) => {
        if (name !== this.room || next++ < offset) return;
        missed.push(payload);
        bytes += payload.length;
      });
      if (bytes > bytesMax) return undefined;
    }
    this.#missed.set(offset, missed);
    return missed;
  }

  /** Not where there is nothing: `clear` makes a new table, to which the old one refers. */
  #forgetMissed(): void {
    if (this.#missed.size > 0) this.#missed.clear();
  }
}

/**
 * Messages that users were told they may have missed. They are counted apart: neither delivered nor lost. A
 * gap excuses no more than it must: of each sender, the messages after the last one that the user received
 * before it left, which were due when it was back. And of those only the ones before the next one that came.
 */
import type { RoomAudit } from './room-audit.ts';

/** The same numbers of messages of one room, with how many users each of them is excused for. */
export type Excused = { room: number; numbers: Int32Array; users: Int32Array };

type Gap = { member: number /** Ascending for each sender. */; numbers: number[] };

export class Gaps {
  /** When a message was due; −1 if it was not due yet. */
  readonly #dueUs: (room: number, number: number) => number;
  readonly #byRoom = new Map<number, Gap[]>();

  constructor(dueUs: (room: number, number: number) => number) {
    this.#dueUs = dueUs;
  }

  /** The member of the room is back and has missed what it has not received by now. */
  add(room: number, audit: RoomAudit, member: number): void {
    const numbers: number[] = [];
    for (let sender = 0; sender < audit.senders; sender++) {
      const last = audit.lastOf(member, sender);
      for (
        let number = last === -1 ? sender : last + audit.senders;
        this.#dueUs(room, number) !== -1;
        number += audit.senders
      )
        numbers.push(number);
    }
    const gaps = this.#byRoom.get(room);
    if (gaps === undefined) this.#byRoom.set(room, [{ member, numbers }]);
    else gaps.push({ member, numbers });
  }

  /** Members of the room that have a gap, each once. */
  membersOf(room: number): ReadonlySet<number> {
    return new Set((this.#byRoom.get(room) ?? []).map(({ member }) => member));
  }

  /** The messages of the room that were due at `fromUs` or later, and are excused. */
  excused(room: number, audit: RoomAudit, fromUs: number): Excused {
    const users = new Map<number, Set<number>>();
    for (const { member, numbers } of this.#byRoom.get(room) ?? []) {
      /** By sender: a message of the gap has come, so the ones after it had to come too. */
      const ended = new Set<number>();
      for (const number of numbers) {
        const sender = number % audit.senders;
        if (audit.has(member, number)) ended.add(sender);
        else if (!ended.has(sender) && this.#dueUs(room, number) >= fromUs) {
          const excused = users.get(number) ?? new Set();
          users.set(number, excused.add(member));
        }
      }
    }
    return {
      room,
      numbers: Int32Array.from(users.keys()),
      users: Int32Array.from(users.values(), (members) => members.size),
    };
  }
}

/**
 * The part of an audit that goes across reconnects: which messages users were told they may have missed, and
 * which ones may never have reached the room, because their sender lost its connection before the echo.
 */
import { type Excused, Gaps } from '../audit/gaps.ts';
import type { RoomAudit } from '../audit/room-audit.ts';
import type { VirtualUser } from './virtual-user.ts';

/** Messages by their numbers, of one room. */
export type Messages = { room: number; numbers: Int32Array };

/** What the audit of a worker's rooms leaves open; only all workers together know the answer. */
export type OpenMessages = {
  excused: Excused[];
  /** Not sent by users of this worker. */
  unsent: Messages[];
  /** Sent by them, and not heard by themselves before they lost their connection. */
  unconfirmed: Messages[];
  /** Users that were told they may have missed messages. */
  peopleWithGaps: number;
};

export class StepAudit {
  readonly #dueUs: (room: number, number: number) => number;
  readonly #gaps: Gaps;
  readonly #rooms = new Map<number, RoomAudit>();
  readonly #unsent = new Map<number, Set<number>>();
  readonly #unconfirmed = new Map<number, Set<number>>();

  /** `dueUs`: when a message was due, in µs since the schedule began; −1 if it was not due yet. */
  constructor(dueUs: (room: number, number: number) => number) {
    this.#dueUs = dueUs;
    this.#gaps = new Gaps(dueUs);
  }

  /** The user is back and may have missed messages. */
  addGap({ room, member }: VirtualUser): void {
    this.#rooms.set(room.index, room.audit);
    this.#gaps.add(room.index, room.audit, member);
  }

  unsent(room: number, number: number): void {
    addTo(this.#unsent, room, number);
  }

  /**
   * The user has lost its connection. Its echoes come in order: so the first one that came is the last check.
   */
  left({ room, member, sentNumber }: VirtualUser): void {
    const { audit, index } = room;
    this.#rooms.set(index, audit);
    for (let number = sentNumber; number >= 0 && !audit.has(member, number); number -= audit.senders)
      addTo(this.#unconfirmed, index, number);
  }

  /** Of messages that were due at `fromUs` or later. */
  report(fromUs: number): OpenMessages {
    const measured = (messages: Map<number, Set<number>>) =>
      [...messages].map(([room, numbers]) => ({
        room,
        numbers: Int32Array.from([...numbers].filter((number) => this.#dueUs(room, number) >= fromUs)),
      }));
    const rooms = [...this.#rooms];
    return {
      excused: rooms.map(([room, audit]) => this.#gaps.excused(room, audit, fromUs)),
      unsent: measured(this.#unsent),
      unconfirmed: measured(this.#unconfirmed),
      peopleWithGaps: rooms.reduce((sum, [room]) => sum + this.#gaps.membersOf(room).size, 0),
    };
  }
}

function addTo(messages: Map<number, Set<number>>, room: number, number: number): void {
  const numbers = messages.get(room);
  if (numbers === undefined) messages.set(room, new Set([number]));
  else numbers.add(number);
}

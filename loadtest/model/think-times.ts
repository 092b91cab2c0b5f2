/**
 * Think times: every user says its next message a random time after its last one, whether or not anybody has
 * answered. That is an open model per person.
 */
import type { ResolvedWorkload } from '../workload.ts';
import { usersOfRoom } from './assignment.ts';
import { type Cursor, Schedule, type ScheduleSettings, seededRandom } from './schedule.ts';

export type ThinkSettings = ScheduleSettings & Pick<ResolvedWorkload, 'clients' | 'thinkSeconds'>;

/** When each user says each of its messages. */
export class ThinkTimes {
  readonly #settings: ThinkSettings;
  readonly #users: { random: () => number; dueUs: number[] }[] = [];

  constructor(settings: ThinkSettings) {
    this.#settings = settings;
  }

  /**
   * When the user says its message `turn` (counted from 0), in µs since the schedule began; −1 if that is
   * after `untilUs`. A turn that was never due costs no more than the time that has passed.
   */
  dueUs(user: number, turn: number, untilUs = Number.POSITIVE_INFINITY): number {
    const { seed } = this.#settings;
    // The multiplier is odd, so that no two users share a seed.
    this.#users[user] ??= { random: seededRandom((seed + Math.imul(user + 1, 0x9e3779b1)) | 0), dueUs: [] };
    const { random, dueUs } = this.#users[user];
    while (dueUs.length <= turn) {
      const lastUs = dueUs.at(-1);
      if (lastUs !== undefined && lastUs > untilUs) return -1;
      dueUs.push(lastUs === undefined ? this.#first(random) : lastUs + this.#think(random()));
    }
    return dueUs[turn]! <= untilUs ? dueUs[turn]! : -1;
  }

  #think(random: number): number {
    const [min = 0, max = 0] = this.#settings.thinkSeconds;
    return Math.floor((min + (max - min) * random) * 1e6);
  }

  /**
   * When the schedule begins, people are in the middle of their think times. A moment falls into an interval
   * with a probability that is proportional to its length, and anywhere in it (renewal theory: the residual
   * life). So the rate is even from the first second on.
   */
  #first(random: () => number): number {
    const [min = 0, max = 0] = this.#settings.thinkSeconds;
    const interval = Math.sqrt(min ** 2 + (max ** 2 - min ** 2) * random());
    return Math.floor(interval * random() * 1e6);
  }
}

/** A cursor in the messages of all users, in the order of their due times. */
class ThinkSchedule implements Cursor {
  dueUs = 0;
  room = 0;
  number = 0;
  readonly #endUs: number;
  readonly #times: ThinkTimes;
  /** By user: its room, its place there, and its next turn. */
  readonly #rooms: Int32Array;
  readonly #members: Int32Array;
  readonly #turns: Int32Array;
  readonly #sizes: Int32Array;
  /** A binary heap of all users by their next due time. */
  readonly #heap: Int32Array;
  readonly #nextUs: Float64Array;

  constructor(settings: ThinkSettings) {
    const { clients, rooms, endUs } = settings;
    this.#endUs = endUs;
    this.#times = new ThinkTimes(settings);
    this.#rooms = new Int32Array(clients);
    this.#members = new Int32Array(clients);
    this.#turns = new Int32Array(clients);
    this.#sizes = new Int32Array(rooms);
    for (let room = 0; room < rooms; room++) {
      const { from, to } = usersOfRoom(settings, room);
      this.#sizes[room] = to - from;
      for (let user = from; user < to; user++) {
        this.#rooms[user] = room;
        this.#members[user] = user - from;
      }
    }
    this.#nextUs = Float64Array.from({ length: clients }, (_, user) => this.#times.dueUs(user, 0));
    this.#heap = Int32Array.from({ length: clients }, (_, user) => user);
    this.#heap.sort((a, b) => this.#nextUs[a]! - this.#nextUs[b]!);
    this.#look();
  }

  get ended(): boolean {
    return this.dueUs >= this.#endUs;
  }

  advance(): void {
    const user = this.#heap[0]!;
    this.#turns[user]!++;
    this.#nextUs[user] = this.#times.dueUs(user, this.#turns[user]!);
    this.#sink();
    this.#look();
  }

  #look(): void {
    const user = this.#heap[0]!;
    this.dueUs = this.#nextUs[user]!;
    this.room = this.#rooms[user]!;
    // As if senders took turns: so a sender follows from a number as in every other schedule.
    this.number = this.#turns[user]! * this.#sizes[this.room]! + this.#members[user]!;
  }

  /** The due time of the user at the top has grown: it goes down to its place. */
  #sink(): void {
    const heap = this.#heap;
    const user = heap[0]!;
    const dueUs = this.#nextUs[user]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#nextUs[heap[child + 1]!]! < this.#nextUs[heap[child]!]!) child++;
      if (this.#nextUs[heap[child]!]! >= dueUs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = user;
  }
}

/** A cursor at the first message of the schedule. */
export function newCursor(settings: ThinkSettings): Cursor {
  return settings.thinkSeconds.length > 0 ? new ThinkSchedule(settings) : new Schedule(settings);
}

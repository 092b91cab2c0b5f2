/**
 * When each message of a schedule was due, by room and number. A receiver takes the time from here, because
 * the server that is measured could have changed what stands in a message.
 */
import { usersOfRoom } from './assignment.ts';
import { dueUsOfPosition, Schedule, type ScheduleSettings } from './schedule.ts';
import { type ThinkSettings, ThinkTimes } from './think-times.ts';

type Thinking = { settings: ThinkSettings; times: ThinkTimes };

export class DueTimes {
  readonly #settings: ScheduleSettings;
  /** Poisson arrivals are random: the schedule is walked once, as far as was asked, and each time is kept. */
  readonly #walk: Schedule;
  readonly #byRoom: (number[] | undefined)[] = [];

  readonly #think: Thinking | undefined;

  constructor(settings: ScheduleSettings | ThinkSettings) {
    this.#settings = settings;
    this.#walk = new Schedule(settings);
    if ('thinkSeconds' in settings && settings.thinkSeconds.length > 0)
      this.#think = { settings, times: new ThinkTimes(settings) };
  }

  /** In µs since the schedule began; −1 if there is no such message that was due by `untilUs`. */
  dueUs(room: number, number: number, untilUs: number): number {
    const { arrival, rooms, endUs } = this.#settings;
    if (room >= rooms) return -1;
    const dueUs = this.#think
      ? this.#thought(this.#think, room, number, untilUs)
      : arrival === 'constant'
        ? dueUsOfPosition(this.#settings, number * rooms + room)
        : (this.#walked(room, number, untilUs) ?? -1);
    return dueUs < endUs && dueUs <= untilUs ? dueUs : -1;
  }

  #thought({ settings, times }: Thinking, room: number, number: number, untilUs: number) {
    const { from, to } = usersOfRoom(settings, room);
    return times.dueUs(from + (number % (to - from)), Math.floor(number / (to - from)), untilUs);
  }

  /** A number that was never due must not lead to the end of the schedule, which may be far away. */
  #walked(room: number, number: number, untilUs: number): number | undefined {
    const walk = this.#walk;
    for (; !walk.ended && walk.dueUs <= untilUs; walk.advance()) {
      const known = this.#byRoom[room];
      if (known !== undefined && number < known.length) break;
      this.#byRoom[walk.room] ??= [];
      this.#byRoom[walk.room]!.push(walk.dueUs);
    }
    return this.#byRoom[room]?.[number];
  }
}

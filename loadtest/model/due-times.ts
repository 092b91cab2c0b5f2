/**
 * When each message of a schedule was due, by room and number. A receiver takes the time from here, because
 * the server that is measured could have changed what stands in a message.
 */
import { dueUsOfPosition, Schedule, type ScheduleSettings } from './schedule.ts';

export class DueTimes {
  readonly #settings: ScheduleSettings;
  /** Poisson arrivals are random: the schedule is walked once, as far as was asked, and each time is kept. */
  readonly #walk: Schedule;
  readonly #byRoom: (number[] | undefined)[] = [];

  constructor(settings: ScheduleSettings) {
    this.#settings = settings;
    this.#walk = new Schedule(settings);
  }

  /** In µs since the schedule began; −1 if there is no such message that was due by `untilUs`. */
  dueUs(room: number, number: number, untilUs: number): number {
    const { arrival, rooms, endUs } = this.#settings;
    if (room >= rooms) return -1;
    const dueUs =
      arrival === 'constant'
        ? dueUsOfPosition(this.#settings, number * rooms + room)
        : (this.#walked(room, number, untilUs) ?? -1);
    return dueUs < endUs && dueUs <= untilUs ? dueUs : -1;
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

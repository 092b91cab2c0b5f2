/** When each message is due: the open model. All workers walk the same schedule from the same seed. */
import type { Workload } from '../workload.ts';

export type ScheduleSettings = Pick<Workload, 'ratePerSecond' | 'arrival' | 'rooms' | 'seed'> & {
  /** For so long the rate climbs evenly from 0, so that a cold server does not begin with a backlog. */
  rampUs: number;
  /** Nothing is due at or after this, in microseconds since the schedule began. */
  endUs: number;
};

/**
 * Share of the warm-up in which the rate climbs; the rest is at the full rate, so that the server has settled
 * before the measure phase. 03-cursor at 15,000 messages/s, four runs each: p99 38 to 51 ms with three
 * quarters of 2 s, 70 to 114 ms with half of 2 s, 93 to 170 ms with three quarters of 1 s.
 */
const rampShare = 0.75;

/**
 * The schedule of a workload; `measuredUs` is the length of its measure phase if not the planned one. People
 * with think times come and go: what many of them say together is a Poisson process of their common rate
 * (the theorem of Palm and Khinchin), and whoever is present says it.
 */
export function scheduleOf<W extends Workload>(workload: W, measuredUs?: number): W & ScheduleSettings {
  const warmUpUs = Math.round(workload.warmUpSeconds * 1e6);
  const measureUs = measuredUs ?? Math.round(workload.durationSeconds * 1e6);
  const ofPeople = workload.people > 0 && workload.thinkSeconds.length > 0;
  return {
    ...workload,
    ...(ofPeople && { arrival: 'poisson', thinkSeconds: [] }),
    ...{ rampUs: warmUpUs * rampShare, endUs: warmUpUs + measureUs },
  };
}

/** A place in a schedule: the message that is due next, and the way to the one after it. */
export type Cursor = {
  /** In µs since the schedule began. */
  readonly dueUs: number;
  readonly room: number;
  /** In its room; the sender follows from it. */
  readonly number: number;
  /** True when nothing more is due. */
  readonly ended: boolean;
  /** Moves to the next message. */
  advance(): void;
};

/**
 * A cursor in the schedule. The message under it is due at `dueUs` in `room` and has the number `number`
 * there. Constant: message n is due at exactly n/rate (plus half the ramp), and rooms take turns. Poisson:
 * exponential gaps, and each message goes to a random room, which makes every room a Poisson process of its
 * own (the splitting property).
 */
export class Schedule implements Cursor {
  dueUs = 0;
  room = 0;
  number = 0;
  readonly #settings: ScheduleSettings;
  readonly #random: () => number;
  readonly #numbers: Int32Array;
  #position = -1;
  #exactUs = 0;

  constructor(settings: ScheduleSettings) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
    this.#numbers = new Int32Array(settings.rooms);
    this.advance();
  }

  /** True when nothing more is due. */
  get ended(): boolean {
    return this.dueUs >= this.#settings.endUs;
  }

  /** Moves to the next message. */
  advance(): void {
    const { ratePerSecond, arrival, rooms, rampUs } = this.#settings;
    this.#position++;
    if (arrival === 'constant') {
      this.dueUs = dueUsOfPosition(this.#settings, this.#position);
      this.room = this.#position % rooms;
    } else {
      this.#exactUs += (-Math.log(1 - this.#random()) * 1e6) / ratePerSecond;
      this.dueUs = Math.floor(afterRamp(this.#exactUs, rampUs));
      this.room = rooms === 1 ? 0 : Math.floor(this.#random() * rooms);
    }
    this.number = this.#numbers[this.room]!++;
  }
}

/** When the message at a position of a constant schedule is due, in µs since the schedule began. */
export function dueUsOfPosition({ ratePerSecond, rampUs }: ScheduleSettings, position: number): number {
  return Math.floor(afterRamp((position * 1e6) / ratePerSecond, rampUs));
}

/**
 * When a message is due that a schedule without a ramp has at `steadyUs`. At t within a ramp of length R the
 * rate is t/R of the full rate, so that t²/2R of steady time has passed. At its end that is R/2, and then
 * both go at the same pace.
 */
function afterRamp(steadyUs: number, rampUs: number): number {
  return steadyUs < rampUs / 2 ? Math.sqrt(2 * rampUs * steadyUs) : steadyUs + rampUs / 2;
}

/** Uniform numbers in [0, 1) from a 32-bit seed (sfc32, public domain by Chris Doty-Humphrey). */
export function seededRandom(seed: number): () => number {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = () => {
    const t = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}

/** When is which message due: the open model, as a pure walk. Every worker walks the same schedule from the same seed. */

export type ScheduleSettings = {
  /** Of all rooms together. */
  ratePerSecond: number;
  arrival: 'constant' | 'poisson';
  rooms: number;
  seed: number;
  /** The rate climbs evenly from 0 for so long: whoever starts cold is not owed a queue before it is warm. */
  rampUs: number;
  /** Nothing is due at or after this, in microseconds since the beginning. */
  endUs: number;
};

/**
 * A cursor on the schedule: the message it stands on is due at `dueUs` in `room`, as that room's number `number`.
 * Constant: message g is due at exactly g/rate (later by half the ramp) and rooms take turns. Poisson: exponential gaps, and each message goes to a
 * room chosen by chance, which makes every room a Poisson process of its own (the splitting property).
 */
export class Schedule {
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
      this.dueUs = Math.floor(afterRamp((this.#position * 1e6) / ratePerSecond, rampUs));
      this.room = this.#position % rooms;
    } else {
      this.#exactUs += (-Math.log(1 - this.#random()) * 1e6) / ratePerSecond;
      this.dueUs = Math.floor(afterRamp(this.#exactUs, rampUs));
      this.room = rooms === 1 ? 0 : Math.floor(this.#random() * rooms);
    }
    this.number = this.#numbers[this.room]!++;
  }
}

/**
 * When the message is due that a schedule without a ramp has at `steadyUs`. At t within a ramp of length R the rate is
 * t/R of the full one, so that t²/2R of steady time has passed; at its end R/2, and from there on both go at one pace.
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

/** Times of people and their direct messages, in one worker: histograms in µs, reported once a window. */
import { addCounts, histogramSlots, slotOf } from './histogram.ts';
import { type CountRange, takeCounts } from './recorder.ts';

/**
 * `ack`: from the due time of a message to the server's answer. `login`: from the request to `login_ack`.
 * `collected`: from that request to the last of the messages that waited. `caughtUp`: the same from the
 * moment in which the device wanted to come, with every refusal.
 */
export const directTimes = ['ack', 'login', 'collected', 'caughtUp'] as const;
export type DirectTime = (typeof directTimes)[number];

/** The increments of one window. */
export type DirectWindow = Record<DirectTime, CountRange>;

/** Histograms of a step, of all workers. */
export type DirectHistograms = Record<DirectTime, Float64Array>;

export class DirectRecorder {
  readonly #counts = newHistograms(() => new Uint32Array(histogramSlots));

  /** Of the measure phase. */
  record(time: DirectTime, us: number): void {
    this.#counts[time][slotOf(Math.min(Math.max(0, Math.floor(us)), 2 ** 31 - 1))]!++;
  }

  /** The increments since the last call. */
  take(): DirectWindow {
    return newHistograms((time) => takeCounts(this.#counts[time]));
  }
}

/** One for each of the times. */
export function newHistograms<T>(make: (time: DirectTime) => T): Record<DirectTime, T> {
  return Object.fromEntries(directTimes.map((time) => [time, make(time)])) as Record<DirectTime, T>;
}

/** Adds one window of one worker. */
export function addDirectWindow(into: DirectHistograms, window: DirectWindow): void {
  for (const time of directTimes) addCounts(into[time], window[time].counts, window[time].from);
}

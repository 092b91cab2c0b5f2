/**
 * The counts of one worker in one step, by window of 250 ms: latencies in counters, deliveries and sends by
 * the window in which the message was due. They are reported once a window, as increments that add up over
 * workers. Hot path.
 */
import type { Workload } from '../workload.ts';
import { histogramSlots, slotOf } from './histogram.ts';

/**
 * Length of a window. A tenth of a second would follow a stall more closely, and four reports a second cost
 * the coordinator little. Chosen, not measured.
 */
export const windowUs = 250_000;

/** Lengths of the phases. A step is counted in slots, one for each window; the warm-up begins with 0. */
export type Timeline = { warmUpUs: number; measureUs: number; drainUs: number };

/** The timeline of a workload. */
export function timelineOf({ warmUpSeconds, durationSeconds, drainSeconds }: Workload): Timeline {
  return {
    warmUpUs: Math.round(warmUpSeconds * 1e6),
    measureUs: Math.round(durationSeconds * 1e6),
    drainUs: Math.round(drainSeconds * 1e6),
  };
}

/** The first slot of the measure phase. A warm-up of 0.6 s takes three slots; the first has 0.1 s. */
export function measureSlotOf(timeline: Timeline): number {
  return Math.ceil(timeline.warmUpUs / windowUs);
}

/** The slot of a moment, in µs since the schedule began; never below 0. */
export function slotAt(timeline: Timeline, atUs: number): number {
  return Math.max(0, measureSlotOf(timeline) + Math.floor((atUs - timeline.warmUpUs) / windowUs));
}

/** Part of a histogram: its counters from slot `from` on. */
export type CountRange = { from: number; counts: Uint32Array };

/** The last slot of the measure phase. */
export function lastMeasureSlotOf(timeline: Timeline): number {
  return measureSlotOf(timeline) + Math.ceil(timeline.measureUs / windowUs) - 1;
}

/** The increments of one window. */
export type WindowReport = {
  slot: number;
  /** Delivery latency, service latency and schedule lag of the messages of the measure phase. */
  delivery: CountRange;
  service: CountRange;
  lag: CountRange;
  /** Delivery latency to users that stayed, of messages due since the storm; not in `delivery`. */
  stayed: CountRange;
  /** The same of the warm-up. */
  warmUpDelivery: CountRange;
  warmUpLag: CountRange;
  /** Distinct deliveries since the last report, by the slot in which the message was due. */
  deliveredBySlot: [slot: number, deliveries: number][];
  /** Messages sent since the last report, and the deliveries that they owe, by the slot of their due time. */
  sentBySlot: [slot: number, messages: number, owed: number][];
  /** Lengths of turns of the event loop, see `turned`. */
  turn: CountRange;
  /** The time since the last report; the share of it in which the event loop was busy; the longest turn. */
  elapsedUs: number;
  busyShare: number;
  turnUsMax: number;
};

/** The load of a worker since its last report. `openTurnUs` is the length of the turn that it is in. */
export type WorkerLoad = { elapsedUs: number; busyShare: number; openTurnUs: number };

/** When the messages of a stream were due (and in which slot) and sent, by `frame & mask`. */
export type StreamTimes = { mask: number; slots: Int32Array; dueUs: Int32Array; sentUs: Int32Array };

export class Recorder {
  readonly measureSlot: number;
  readonly #delivery = new Uint32Array(histogramSlots);
  readonly #stayed = new Uint32Array(histogramSlots);
  readonly #service = new Uint32Array(histogramSlots);
  readonly #lag = new Uint32Array(histogramSlots);
  readonly #warmUpDelivery = new Uint32Array(histogramSlots);
  readonly #warmUpLag = new Uint32Array(histogramSlots);
  readonly #turn = new Uint32Array(histogramSlots);
  readonly #deliveredBySlot: Float64Array;
  readonly #sentBySlot = new Map<number, { messages: number; owed: number }>();
  #turnUsMax = 0;
  /** The recipient of the next deliveries has not left in this step. */
  hasStayed = false;
  /** From this slot on, deliveries to those are counted apart. */
  readonly #stormSlot: number;
  readonly #timeline: Timeline;
  #recipientsByRoom: Uint32Array = new Uint32Array(0);
  /** Messages of the measure phase that were sent. */
  sentByRoom: Uint32Array = new Uint32Array(0);

  /** `stormSlot`: the slot in which the users of a storm leave. */
  constructor(timeline: Timeline, stormSlot = Number.POSITIVE_INFINITY) {
    this.#timeline = timeline;
    this.#stormSlot = stormSlot;
    this.measureSlot = measureSlotOf(timeline);
    const endUs = timeline.warmUpUs + timeline.measureUs;
    this.#deliveredBySlot = new Float64Array(slotAt(timeline, endUs) + 1);
  }

  /** The recipients of each room, of all workers together, before anything is sent. */
  setRecipients(byRoom: Uint32Array): void {
    this.#recipientsByRoom = byRoom;
    this.sentByRoom = new Uint32Array(byRoom.length);
  }

  /**
   * The messages of frames [from, to) of a stream have reached one recipient for the first time. Times are in
   * µs since the schedule began, modulo 2^32.
   */
  delivered(stream: StreamTimes, from: number, to: number, nowUs: number): void {
    const { slots, dueUs, sentUs, mask } = stream;
    const service = this.#service;
    let frame = from;
    while (frame < to) {
      const first = frame;
      const slot = slots[frame & mask]!;
      const isMeasured = slot >= this.measureSlot;
      const delivery = slot >= this.#stormSlot && this.hasStayed ? this.#stayed : this.#delivery;
      for (; frame < to && slots[frame & mask] === slot; frame++) {
        // The clocks of two processes differ by a few µs, so that a difference can be below zero.
        const latencyUs = Math.max(0, (nowUs - dueUs[frame & mask]!) | 0);
        if (isMeasured) {
          delivery[slotOf(latencyUs)]!++;
          service[slotOf(Math.max(0, (nowUs - sentUs[frame & mask]!) | 0))]!++;
        } else this.#warmUpDelivery[slotOf(latencyUs)]!++;
      }
      this.#deliveredBySlot[slot]! += frame - first;
    }
  }

  /** One message is late by so much: it has been sent, or will not be. */
  lagged(dueUs: number, lagUs: number): void {
    const lagSlot = slotOf(Math.min(Math.max(0, lagUs), 2 ** 31 - 1));
    if (slotAt(this.#timeline, dueUs) >= this.measureSlot) this.#lag[lagSlot]!++;
    else this.#warmUpLag[lagSlot]!++;
  }

  /** One message has been sent. */
  sent(room: number, dueUs: number, lagUs: number): void {
    const slot = slotAt(this.#timeline, dueUs);
    this.lagged(dueUs, lagUs);
    let sent = this.#sentBySlot.get(slot);
    if (sent === undefined) {
      sent = { messages: 0, owed: 0 };
      this.#sentBySlot.set(slot, sent);
    }
    if (slot >= this.measureSlot) this.sentByRoom[room]!++;
    sent.messages++;
    sent.owed += this.#recipientsByRoom[room]!;
  }

  /** One turn of the event loop took so long to read all waiting input. It counts once per microsecond. */
  turned(durationUs: number): void {
    const us = Math.min(Math.floor(durationUs), 2 ** 31 - 1);
    this.#turn[slotOf(us)]! += us;
    if (us > this.#turnUsMax) this.#turnUsMax = us;
  }

  /** The increments since the last call, as the report of the window `slot`, with the load of this worker. */
  take(slot: number, load: WorkerLoad = { elapsedUs: 0, busyShare: 0, openTurnUs: 0 }): WindowReport {
    const report: WindowReport = {
      slot,
      delivery: takeCounts(this.#delivery),
      stayed: takeCounts(this.#stayed),
      service: takeCounts(this.#service),
      lag: takeCounts(this.#lag),
      warmUpDelivery: takeCounts(this.#warmUpDelivery),
      warmUpLag: takeCounts(this.#warmUpLag),
      deliveredBySlot: nonZero(this.#deliveredBySlot),
      sentBySlot: [...this.#sentBySlot].map(([at, { messages, owed }]) => [at, messages, owed]),
      turn: takeCounts(this.#turn),
      elapsedUs: load.elapsedUs,
      busyShare: load.busyShare,
      turnUsMax: Math.max(this.#turnUsMax, load.openTurnUs),
    };
    this.#turnUsMax = 0;
    this.#deliveredBySlot.fill(0);
    this.#sentBySlot.clear();
    return report;
  }
}

/** The counts from the first to the last that is not zero. Sets them to zero. */
export function takeCounts(counts: Uint32Array): CountRange {
  let from = 0;
  let to = counts.length;
  while (from < to && counts[from] === 0) from++;
  while (to > from && counts[to - 1] === 0) to--;
  const taken = counts.slice(from, to);
  counts.fill(0, from, to);
  return { from, counts: taken };
}

function nonZero(counts: Float64Array): [slot: number, count: number][] {
  const found: [number, number][] = [];
  for (let slot = 0; slot < counts.length; slot++) if (counts[slot]! > 0) found.push([slot, counts[slot]!]);
  return found;
}

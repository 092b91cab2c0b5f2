/** Adds up the reports of all workers: histograms, the audit, and the run second by second. */
import { addCounts, histogramSlots, summarize } from './histogram.ts';
import { type CountRange, measureSlotOf, type SecondReport, type Timeline } from './recorder.ts';
import type { Second } from './series.ts';

/** Exact counts over all recipients. `lost` counts deliveries of sent messages that never arrived. */
export type AuditCounts = {
  expected: number;
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
};

/** Counts of one worker since its start. */
export type WorkerSample = {
  sessionsOpen: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
  /** Of the misrouted deliveries, those of another run. */
  foreign: number;
  /** CPU of the process since its start. */
  cpuUs: number;
};

/** The drain lasts at least this long if nothing is missing: a duplicate arrives later than its original. */
const settleUs = 250_000;

type OpenSecond = { delivery: Float64Array; lag: Float64Array; sent: number; cpuUs: number };

export class Totals {
  /** Histograms of the messages of the measure phase, in microseconds. */
  readonly delivery = new Float64Array(histogramSlots);
  readonly service = new Float64Array(histogramSlots);
  readonly lag = new Float64Array(histogramSlots);
  /** How long a turn of an event loop took to read all waiting input, in the measure phase. */
  readonly turn = new Float64Array(histogramSlots);
  /** Histograms of all phases, for the metrics. */
  readonly allDelivery = new Float64Array(histogramSlots);
  readonly allLag = new Float64Array(histogramSlots);
  /** Counts of all phases. */
  messagesSent = 0;
  deliveries = 0;
  readonly seconds: Second[] = [];
  /** Messages of the measure phase that were sent. */
  sent = 0;
  readonly #timeline: Timeline;
  readonly #recipientsByRoom: Float64Array;
  readonly #samples: (WorkerSample | undefined)[];
  readonly #lastSlot: number[];
  readonly #open = new Map<number, OpenSecond>();
  readonly #expectedBySlot = new Map<number, number>();
  readonly #deliveredBySlot = new Map<number, number>();

  constructor(workers: number, rooms: number, timeline: Timeline) {
    this.#timeline = timeline;
    this.#recipientsByRoom = new Float64Array(rooms);
    this.#samples = new Array(workers).fill(undefined);
    this.#lastSlot = new Array(workers).fill(-1);
  }

  /** Adds a worker's recipients, before the schedule begins. */
  addRecipients(byRoom: Uint32Array): void {
    addCounts(this.#recipientsByRoom, byRoom);
  }

  /** Keeps the latest counts of a worker. */
  setSample(worker: number, sample: WorkerSample): void {
    this.#samples[worker] = sample;
  }

  /** Adds one second of one worker. Returns the seconds that all workers have now reported. */
  addSecond(worker: number, report: SecondReport, sample: WorkerSample): Second[] {
    const measureSlot = measureSlotOf(this.#timeline);
    addRange(this.delivery, report.delivery);
    addRange(this.service, report.service);
    addRange(this.lag, report.lag);
    if (this.#isMeasured(report.slot)) addRange(this.turn, report.turn);
    const second = this.#openSecond(report.slot);
    for (const range of [report.delivery, report.warmUpDelivery]) {
      addRange(second.delivery, range);
      addRange(this.allDelivery, range);
    }
    for (const range of [report.lag, report.warmUpLag]) {
      addRange(second.lag, range);
      addRange(this.allLag, range);
    }
    report.deliveredBySlot.forEach((count, slot) => {
      if (count === 0) return;
      this.#deliveredBySlot.set(slot, (this.#deliveredBySlot.get(slot) ?? 0) + count);
      this.deliveries += count;
    });
    for (const [slot, byRoom] of report.sentBySlot) {
      let expected = 0;
      let sent = 0;
      for (let room = 0; room < byRoom.length; room++) {
        sent += byRoom[room]!;
        expected += byRoom[room]! * this.#recipientsByRoom[room]!;
      }
      second.sent += sent;
      this.messagesSent += sent;
      if (slot >= measureSlot) this.sent += sent;
      this.#expectedBySlot.set(slot, (this.#expectedBySlot.get(slot) ?? 0) + expected);
    }
    second.cpuUs += sample.cpuUs - (this.#samples[worker]?.cpuUs ?? sample.cpuUs);
    this.#samples[worker] = sample;
    this.#lastSlot[worker] = report.slot;
    return this.#close(Math.min(...this.#lastSlot));
  }

  /** Returns the seconds that are left when all workers are done. */
  end(): Second[] {
    return this.#close(Number.POSITIVE_INFINITY);
  }

  /** Deliveries that were overdue by more than the drain when the second `atSeconds` ended. */
  lostBy(atSeconds: number): number {
    const drainSlots = Math.ceil(this.#timeline.drainUs / 1e6);
    return this.audit(measureSlotOf(this.#timeline) + atSeconds + 1 - drainSlots).lost;
  }

  /** True when nothing is missing and the reported seconds exceed the measure phase by the settling time. */
  get settled(): boolean {
    const reportedUs = (Math.min(...this.#lastSlot) + 1 - measureSlotOf(this.#timeline)) * 1e6;
    return reportedUs >= this.#timeline.measureUs + settleUs && this.audit().lost === 0;
  }

  /** The audit of the measure phase; with `beforeSlot`, only of messages due before that second. */
  audit(beforeSlot = Number.POSITIVE_INFINITY): AuditCounts {
    let expected = 0;
    let delivered = 0;
    for (const [slot, count] of this.#expectedBySlot) {
      if (slot < measureSlotOf(this.#timeline) || slot >= beforeSlot) continue;
      expected += count;
      delivered += this.#deliveredBySlot.get(slot) ?? 0;
    }
    const sum = (of: (sample: WorkerSample) => number) => this.sumOfSamples(of);
    return {
      expected,
      delivered,
      lost: expected - delivered,
      duplicated: sum((sample) => sample.duplicated),
      reordered: sum((sample) => sample.reordered),
      misrouted: sum((sample) => sample.misrouted),
      corrupted: sum((sample) => sample.corrupted),
    };
  }

  /** The sum of one figure over the latest counts of all workers. */
  sumOfSamples(of: (sample: WorkerSample) => number): number {
    return this.#samples.reduce((sum, sample) => sum + (sample === undefined ? 0 : of(sample)), 0);
  }

  #isMeasured(slot: number): boolean {
    const measureSlot = measureSlotOf(this.#timeline);
    return slot >= measureSlot && slot < measureSlot + Math.ceil(this.#timeline.measureUs / 1e6);
  }

  #openSecond(slot: number): OpenSecond {
    let second = this.#open.get(slot);
    if (second === undefined) {
      second = {
        delivery: new Float64Array(histogramSlots),
        lag: new Float64Array(histogramSlots),
        sent: 0,
        cpuUs: 0,
      };
      this.#open.set(slot, second);
    }
    return second;
  }

  #close(lastSlot: number): Second[] {
    const complete = [...this.#open.keys()].filter((slot) => slot <= lastSlot).sort((a, b) => a - b);
    return complete.map((slot) => {
      const { delivery, lag, sent, cpuUs } = this.#open.get(slot)!;
      this.#open.delete(slot);
      const latency = summarize(delivery);
      const second: Second = {
        atSeconds: slot - measureSlotOf(this.#timeline),
        sent,
        deliveries: latency.count,
        deliveryLatencyMsP50: latency.p50,
        deliveryLatencyMsP99: latency.p99,
        deliveryLatencyMsMax: latency.max,
        scheduleLagMsP99: summarize(lag).p99,
        instrumentCpuCores: cpuUs / 1e6,
        sessionsOpen: this.sumOfSamples((sample) => sample.sessionsOpen),
      };
      this.seconds.push(second);
      return second;
    });
  }
}

function addRange(into: Float64Array, range: CountRange): void {
  addCounts(into, range.counts, range.from);
}

/** Adds counters by name. */
export function mergeCounts(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const part of parts)
    for (const [name, count] of Object.entries(part)) merged[name] = (merged[name] ?? 0) + count;
  return merged;
}

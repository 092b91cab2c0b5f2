/** Adds up the reports of all workers on one step: histograms, the audit, and the step second by second. */
import { backlogGrowthMs } from './backlog.ts';
import { type AuditCounts, directAudit, type WorkerSample } from './counts.ts';
import { type DirectCounts, sumDirectCounts } from './direct-counts.ts';
import {
  addDirectWindow,
  type DirectHistograms,
  type DirectWindow,
  newHistograms,
} from './direct-recorder.ts';
import { addCounts, histogramSlots, latencyCountsOf, summarize } from './histogram.ts';
import {
  type CountRange,
  lastMeasureSlotOf,
  measureSlotOf,
  type Timeline,
  type WindowReport,
  windowUs,
} from './recorder.ts';
import type { Second } from './series.ts';

const windowsPerSecond = 1e6 / windowUs;

type OpenSecond = { delivery: Float64Array; lag: Float64Array; sent: number; cpuUs: number };

export class Totals {
  /** Histograms of the messages of the measure phase, in microseconds. */
  readonly delivery = new Float64Array(histogramSlots);
  /** The part of `delivery` to users that stayed, of messages due since the storm. */
  readonly stayed = new Float64Array(histogramSlots);
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
  /** Where one order is promised: deliveries in another order than that of another worker. */
  disordered = 0;
  /** Messages of the measure phase that were sent. */
  sent = 0;
  /**
   * Known at the end of a step whose users resume: deliveries that users were told they may have missed; and
   * deliveries of messages that never reached the room, because their sender lost its connection.
   */
  excused = { missed: 0, unpublished: 0 };
  /** Of people. */
  readonly directTimes: DirectHistograms = newHistograms(() => new Float64Array(histogramSlots));
  /** Known at the end of a step of people: what was lost, and what waits for devices that are away. */
  judged = { lost: 0, waiting: 0 };
  /** Devices of each person; 0 where there are users in rooms. */
  readonly #devices: number;
  readonly #timeline: Timeline;
  #measuredUs: number;
  readonly #samples: (WorkerSample | undefined)[];
  readonly #lastSlot: number[];
  readonly #open = new Map<number, OpenSecond>();
  readonly #expectedBySlot = new Map<number, number>();
  readonly #deliveredBySlot = new Map<number, number>();
  readonly #arrivedBySlot = new Map<number, number>();
  /** By worker: its load in each window of the measure phase. */
  readonly #loads: Pick<WindowReport, 'elapsedUs' | 'busyShare' | 'turnUsMax'>[][];

  /** `devices`: of each person; 0 for users in rooms. */
  constructor(workers: number, timeline: Timeline, devices = 0) {
    this.#devices = devices;
    this.#timeline = timeline;
    this.#measuredUs = timeline.measureUs;
    this.#samples = new Array(workers).fill(undefined);
    this.#lastSlot = new Array(workers).fill(-1);
    this.#loads = Array.from({ length: workers }, () => []);
  }

  /** Keeps the counts of a worker at the beginning of the step. */
  setSample(worker: number, sample: WorkerSample): void {
    this.#samples[worker] = sample;
  }

  /** Adds one window of one worker. Returns the seconds that all workers have now reported. */
  addWindow(worker: number, report: WindowReport, sample: WorkerSample, direct?: DirectWindow): Second[] {
    if (direct !== undefined) addDirectWindow(this.directTimes, direct);
    const measureSlot = measureSlotOf(this.#timeline);
    addRange(this.delivery, report.delivery);
    addRange(this.delivery, report.stayed);
    addRange(this.stayed, report.stayed);
    addRange(this.service, report.service);
    addRange(this.lag, report.lag);
    if (this.#isMeasured(report.slot)) {
      addRange(this.turn, report.turn);
      const { elapsedUs, busyShare, turnUsMax } = report;
      this.#loads[worker]!.push({ elapsedUs, busyShare, turnUsMax });
    }
    const second = this.#openSecond(report.slot);
    for (const range of [report.delivery, report.stayed, report.warmUpDelivery]) {
      addRange(second.delivery, range);
      addRange(this.allDelivery, range);
    }
    for (const range of [report.lag, report.warmUpLag]) {
      addRange(second.lag, range);
      addRange(this.allLag, range);
    }
    for (const [slot, count] of report.deliveredBySlot) {
      addTo(this.#deliveredBySlot, slot, count);
      addTo(this.#arrivedBySlot, report.slot, count);
      this.deliveries += count;
    }
    for (const [slot, messages, owed] of report.sentBySlot) {
      second.sent += messages;
      this.messagesSent += messages;
      if (slot >= measureSlot) this.sent += messages;
      addTo(this.#expectedBySlot, slot, owed);
    }
    second.cpuUs += sample.cpuUs - (this.#samples[worker]?.cpuUs ?? sample.cpuUs);
    this.#samples[worker] = sample;
    this.#lastSlot[worker] = report.slot;
    return this.#close(Math.floor((this.#reportedSlot + 1 - measureSlot) / windowsPerSecond) - 1);
  }

  /** Returns the seconds that are left when all workers are done. */
  end(): Second[] {
    return this.#close(Number.POSITIVE_INFINITY);
  }

  /** Deliveries that were overdue by more than the drain when the second `atSeconds` ended. */
  lostBy(atSeconds: number): number {
    const drainSlots = Math.ceil(this.#timeline.drainUs / windowUs);
    return this.audit(measureSlotOf(this.#timeline) + (atSeconds + 1) * windowsPerSecond - drainSlots).lost;
  }

  /** The measure phase has ended after that time, before it was planned to end. */
  endMeasure(measuredUs: number): void {
    this.#measuredUs = measuredUs;
  }

  /** True when all workers have reported a window after the measure phase and nothing is outstanding. */
  get settled(): boolean {
    const { measureUs } = this.#timeline;
    // The workers hear of an early end only in the window after it.
    const slack = this.#measuredUs < measureUs ? 1 : 0;
    const lastSlot = lastMeasureSlotOf({ ...this.#timeline, measureUs: this.#measuredUs }) + slack;
    return this.#reportedSlot > lastSlot && this.#outstanding() <= 0;
  }

  /** Seconds from the end of the measure phase to the last owed delivery; null if some never came. */
  get recoveredSeconds(): number | null {
    if (this.audit().lost > 0) return null;
    const lastUs = Math.max(...this.#samples.map((sample) => sample?.lastDeliveryUs ?? 0));
    const endUs = this.#timeline.warmUpUs + this.#measuredUs;
    return Math.round(Math.max(0, lastUs - endUs) / 1000) / 1000;
  }

  /** By how much the backlog grew through the measure phase, see `backlogGrowthMs`. */
  get backlogGrowthMs(): number | null {
    const bySlot = (counts: Map<number, number>) =>
      Array.from({ length: lastMeasureSlotOf(this.#timeline) + 1 }, (_, slot) => counts.get(slot) ?? 0);
    const { measureUs } = this.#timeline;
    const measureSlot = measureSlotOf(this.#timeline);
    return backlogGrowthMs(
      bySlot(this.#deliveredBySlot),
      bySlot(this.#arrivedBySlot),
      measureSlot,
      measureUs,
    );
  }

  /** Share of the measure phase in which one worker was at least so busy and had a turn longer than that. */
  saturatedShare(busyShareMin: number, turnMsMax: number): number {
    const shares = this.#loads.map((loads) => {
      let totalUs = 0;
      let saturatedUs = 0;
      for (const { elapsedUs, busyShare, turnUsMax } of loads) {
        totalUs += elapsedUs;
        if (busyShare >= busyShareMin && turnUsMax > turnMsMax * 1000) saturatedUs += elapsedUs;
      }
      return totalUs === 0 ? 0 : saturatedUs / totalUs;
    });
    return Math.max(...shares);
  }

  /** The audit of the measure phase; with `beforeSlot`, only of messages due before that window. */
  audit(beforeSlot = Number.POSITIVE_INFINITY): AuditCounts {
    if (this.#devices > 0) return directAudit(this.direct, this.judged.lost);
    let expected = 0;
    let delivered = 0;
    for (const [slot, count] of this.#expectedBySlot) {
      if (slot < measureSlotOf(this.#timeline) || slot >= beforeSlot) continue;
      expected += count;
      delivered += this.#deliveredBySlot.get(slot) ?? 0;
    }
    const sum = (of: (sample: WorkerSample) => number) => this.sumOfSamples(of);
    const { missed, unpublished } =
      beforeSlot === Number.POSITIVE_INFINITY ? this.excused : { missed: 0, unpublished: 0 };
    return {
      expected: expected - unpublished,
      delivered,
      lost: expected - unpublished - missed - delivered,
      duplicated: sum((sample) => sample.duplicated),
      reordered: sum((sample) => sample.reordered) + this.disordered,
      misrouted: sum((sample) => sample.misrouted),
      corrupted: sum((sample) => sample.corrupted),
    };
  }

  /**
   * The audit of a step that was stopped `measuredUs` after its measure phase began. What is outstanding
   * counts as lost only if it had the time of a drain; the rest was under way, and is not expected.
   */
  auditOfStopped(measuredUs: number): AuditCounts {
    const drainSlots = Math.ceil(this.#timeline.drainUs / windowUs);
    const stoppedSlot = measureSlotOf(this.#timeline) + Math.floor(measuredUs / windowUs);
    const whole = this.audit();
    if (this.#devices > 0) return whole;
    const { missed, unpublished } = this.excused;
    const lost = Math.max(0, this.audit(stoppedSlot - drainSlots).lost - missed - unpublished);
    return { ...whole, lost, expected: whole.delivered + lost };
  }

  /** The sum of one figure over the latest counts of all workers. */
  sumOfSamples(of: (sample: WorkerSample) => number): number {
    return this.#samples.reduce((sum, sample) => sum + (sample === undefined ? 0 : of(sample)), 0);
  }

  /** The counts of all people in this step. */
  get direct(): DirectCounts {
    return sumDirectCounts(this.#samples.flatMap((sample) => sample?.direct ?? []));
  }

  /** Deliveries that are owed, or not known to be. Of people: over the whole run, away or not. */
  #outstanding(): number {
    if (this.#devices === 0) return this.audit().lost;
    const { ackedEver, deliveredEver, lostEver } = this.direct;
    const unanswered = this.sumOfSamples((sample) => sample.direct?.unanswered ?? 0);
    // A message can have come before its answer, so that the two cannot be added up.
    return unanswered > 0 ? unanswered : ackedEver * this.#devices - deliveredEver - lostEver;
  }

  #isMeasured(slot: number): boolean {
    return slot >= measureSlotOf(this.#timeline) && slot <= lastMeasureSlotOf(this.#timeline);
  }

  /** The last window that all workers have reported. */
  get #reportedSlot(): number {
    return Math.min(...this.#lastSlot);
  }

  #openSecond(slot: number): OpenSecond {
    const atSeconds = Math.floor((slot - measureSlotOf(this.#timeline)) / windowsPerSecond);
    let second = this.#open.get(atSeconds);
    if (second === undefined) {
      second = {
        delivery: new Float64Array(histogramSlots),
        lag: new Float64Array(histogramSlots),
        sent: 0,
        cpuUs: 0,
      };
      this.#open.set(atSeconds, second);
    }
    return second;
  }

  #close(lastSecond: number): Second[] {
    const complete = [...this.#open.keys()].filter((second) => second <= lastSecond).sort((a, b) => a - b);
    return complete.map((atSeconds) => {
      const { delivery, lag, sent, cpuUs } = this.#open.get(atSeconds)!;
      this.#open.delete(atSeconds);
      const latency = summarize(delivery);
      const second: Second = {
        atSeconds,
        sent,
        deliveries: latency.count,
        deliveryLatencyMsP50: latency.p50,
        deliveryLatencyMsP99: latency.p99,
        deliveryLatencyMsMax: latency.max,
        deliveryLatencyCounts: latencyCountsOf(delivery),
        scheduleLagMsP99: summarize(lag).p99,
        instrumentCpuCores: cpuUs / 1e6,
        sessionsOpen: this.sumOfSamples((sample) => sample.sessionsOpen),
      };
      this.seconds.push(second);
      return second;
    });
  }
}

function addTo(counts: Map<number, number>, slot: number, count: number): void {
  counts.set(slot, (counts.get(slot) ?? 0) + count);
}

function addRange(into: Float64Array, range: CountRange): void {
  addCounts(into, range.counts, range.from);
}

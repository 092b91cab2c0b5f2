/**
 * The pace of one step in one worker: sends what is due, reports each window, marks the measure phase, and
 * times the turns of the event loop. Hot path: `received` runs for each read of each socket.
 */
import type { Clock } from '../record/clock.ts';
import { markUsage, type UsageMark, usageBetween, type WorkerUsage } from '../record/process-usage.ts';
import {
  measureSlotOf,
  type Recorder,
  slotAt,
  type Timeline,
  type WindowReport,
  type WorkerLoad,
  windowUs,
} from '../record/recorder.ts';

/** Sends the messages of this worker. Times are in µs of the common clock. */
export type PacedSender = {
  /** When the next message is due; infinite if there is none. */
  readonly nextDueUs: number;
  start(beginUs: number): void;
  /** Sends what is due now, up to a bound. */
  pump(): void;
  /** Nothing more is sent. */
  stop(): void;
};

export type PaceSettings = {
  timeline: Timeline;
  clock: Clock;
  recorder: Recorder;
  sender: PacedSender;
  /** A window has ended. */
  report(window: WindowReport): void;
  /** The measure phase has ended. */
  measured(): void;
};

/**
 * Messages that are due at the end of the measure phase and were delayed here are still sent for so long.
 * Chosen: one window, as long as the shortest drain.
 */
const lateSendUs = windowUs;
/** Longest sleep between two readings of the clock, so that a window is reported soon after its end. */
const sleepMsMax = 50;

export class StepPace {
  /** Infinite before the start, so that all times since then are negative. */
  beginUs = Number.POSITIVE_INFINITY;
  /** Nothing that was due later has been sent. */
  stoppedAtUs = Number.POSITIVE_INFINITY;
  /** The measure phase is over. */
  ended = false;
  readonly #settings: PaceSettings;
  #wakeUs = Number.POSITIVE_INFINITY;
  #slot = 0;
  #nextTickUs = 0;
  /** The window in which the drain ends; everything later is reported with it. */
  readonly #lastSlot: number;
  #turnBeganUs = 0;
  #load = { atUs: 0, idleMs: 0 };
  #over = false;
  #usage: { from: UsageMark; to: UsageMark } | undefined;

  constructor(settings: PaceSettings) {
    const { warmUpUs, measureUs, drainUs } = settings.timeline;
    this.#settings = settings;
    this.#lastSlot = slotAt(settings.timeline, warmUpUs + measureUs + drainUs - 1);
  }

  /** The schedule begins at `beginUs` of the common clock. */
  start(beginUs: number): void {
    this.beginUs = beginUs;
    this.#nextTickUs = beginUs + this.#slotEndUs(0);
    this.#takeLoad();
    this.#settings.sender.start(beginUs);
    this.#sleep();
  }

  /** Nothing more is sent from now on. */
  stopSending(): void {
    this.stoppedAtUs = Math.min(this.stoppedAtUs, this.#settings.clock.nowUs());
    this.#settings.sender.stop();
  }

  /** Reports the last window; nothing more is reported afterwards. Returns the usage of the measure phase. */
  end(): WorkerUsage {
    this.#over = true;
    this.#wakeUs = Number.POSITIVE_INFINITY;
    this.stopSending();
    this.#markUsage();
    this.#tick();
    return usageBetween(this.#usage!.from, this.#usage!.to);
  }

  /** Bytes are about to be read: receiving must not delay what is due. Returns the time. */
  reading(): number {
    const nowUs = this.#settings.clock.nowUs();
    if (nowUs >= this.#wakeUs) this.#wake(nowUs);
    return nowUs;
  }

  /** Bytes that came at `nowUs` have been read. */
  read(nowUs: number): void {
    if (this.#turnBeganUs !== 0) return;
    this.#turnBeganUs = nowUs;
    setImmediate(this.#endTurn);
  }

  /** Runs after all ready sockets have been read: no input has waited here longer than one turn. */
  readonly #endTurn = () => {
    const { recorder, clock } = this.#settings;
    recorder.turned(clock.nowUs() - this.#turnBeganUs);
    this.#turnBeganUs = 0;
  };

  /** Does everything that is due now: the report of a window, the marks of the measure phase, messages. */
  #wake(nowUs: number): void {
    const { timeline, sender } = this.#settings;
    const { warmUpUs, measureUs } = timeline;
    if (nowUs >= this.#nextTickUs) {
      this.#tick();
      this.#slot = Math.min(slotAt(timeline, nowUs - this.beginUs), this.#lastSlot);
      this.#nextTickUs =
        this.#slot === this.#lastSlot ? Number.POSITIVE_INFINITY : this.beginUs + this.#slotEndUs(this.#slot);
    }
    if (this.#usage === undefined && nowUs >= this.beginUs + warmUpUs) this.#markUsage();
    const endUs = this.beginUs + warmUpUs + measureUs;
    if (nowUs >= endUs + lateSendUs) sender.stop();
    sender.pump();
    if (nowUs >= endUs && !this.ended) {
      this.ended = true;
      this.#settings.measured();
      this.#markUsage();
    }
    const boundaryUs = this.#usage === undefined ? this.beginUs + warmUpUs : endUs;
    this.#wakeUs = Math.min(this.#nextTickUs, sender.nextDueUs);
    if (!this.ended) this.#wakeUs = Math.min(this.#wakeUs, boundaryUs);
  }

  readonly #sleep = () => {
    if (this.#over) return;
    const { clock } = this.#settings;
    const nowUs = clock.nowUs();
    if (nowUs >= this.#wakeUs || this.#wakeUs === Number.POSITIVE_INFINITY) this.#wake(nowUs);
    const waitMs = Math.floor((this.#wakeUs - clock.nowUs()) / 1000);
    if (waitMs < 0) setImmediate(this.#sleep);
    else setTimeout(this.#sleep, Math.min(Math.max(1, waitMs), sleepMsMax));
  };

  /** End of a window, in µs since the schedule began. */
  #slotEndUs(slot: number): number {
    const { timeline } = this.#settings;
    return timeline.warmUpUs + (slot + 1 - measureSlotOf(timeline)) * windowUs;
  }

  #tick(): void {
    this.#settings.report(this.#settings.recorder.take(this.#slot, this.#takeLoad()));
  }

  /** The load of this worker since the last call. */
  #takeLoad(): WorkerLoad {
    const atUs = this.#settings.clock.nowUs();
    const { idle } = performance.eventLoopUtilization();
    const elapsedUs = atUs - this.#load.atUs;
    const busyShare = 1 - ((idle - this.#load.idleMs) * 1000) / elapsedUs;
    this.#load = { atUs, idleMs: idle };
    return { elapsedUs, busyShare, openTurnUs: this.#turnBeganUs === 0 ? 0 : atUs - this.#turnBeganUs };
  }

  #markUsage(): void {
    const mark = markUsage();
    if (this.#usage === undefined) this.#usage = { from: mark, to: mark };
    else if (this.#usage.to === this.#usage.from) this.#usage.to = mark;
  }
}

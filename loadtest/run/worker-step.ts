/** One step in one worker: its schedule, its audit and its records, from the probes to its last report. */
import { Receiver } from '../audit/receiver.ts';
import { Verifier } from '../audit/verifier.ts';
import { type Assignment, senderOf } from '../model/assignment.ts';
import { DueTimes } from '../model/due-times.ts';
import { scheduleOf } from '../model/schedule.ts';
import { MessageFormat, runIdOfStep } from '../model/stamp.ts';
import { newCursor } from '../model/think-times.ts';
import type { Clock } from '../record/clock.ts';
import type { WorkerSample } from '../record/counts.ts';
import { markUsage, type UsageMark, usageBetween } from '../record/process-usage.ts';
import {
  measureSlotOf,
  Recorder,
  slotAt,
  type Timeline,
  timelineOf,
  type WorkerLoad,
  windowUs,
} from '../record/recorder.ts';
import type { ReturnCounts } from '../users/returns.ts';
import { Sender } from '../users/sender.ts';
import { StepAudit } from '../users/step-audit.ts';
import type { UserPool } from '../users/user-pool.ts';
import type { VirtualUser } from '../users/virtual-user.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { StepReport, WorkerMessage } from './worker-messages.ts';

export type StepSettings = {
  /** With the workload of this step. */
  assignment: Assignment;
  /** Counted from 0. */
  step: number;
  users: UserPool;
  clock: Clock;
  send(message: WorkerMessage): void;
};

/**
 * Messages that are due at the end of the measure phase and were delayed here are still sent for so long.
 * Chosen: one window, as long as the shortest drain.
 */
const lateSendUs = windowUs;
/** Far more than the clocks of two workers differ by. Chosen, not measured. */
const clockToleranceUs = 100_000;
/** Longest sleep between two readings of the clock, so that a window is reported soon after its end. */
const sleepMsMax = 50;

export class WorkerStep {
  /** Of the users that come back. */
  readonly audit: StepAudit;
  readonly #workload: ResolvedWorkload;
  readonly #timeline: Timeline;
  readonly #isOneOrder: boolean;
  readonly #users: UserPool;
  readonly #clock: Clock;
  readonly #send: StepSettings['send'];
  readonly #recorder: Recorder;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  /** Infinite before the start, so that all times since then are negative. */
  #beginUs = Number.POSITIVE_INFINITY;
  /** Nothing that was due later has been sent. */
  #stoppedAtUs = Number.POSITIVE_INFINITY;
  #wakeUs = Number.POSITIVE_INFINITY;
  #slot = 0;
  #nextTickUs = 0;
  /** The window in which the drain ends; everything later is reported with it. */
  readonly #lastSlot: number;
  #turnBeganUs = 0;
  #load = { atUs: 0, idleMs: 0 };
  #ended = false;
  #over = false;
  #usage: { from: UsageMark; to: UsageMark } | undefined;

  constructor({ assignment, step, users, clock, send }: StepSettings) {
    const { workload, firstRunId, seal } = assignment;
    const timeline = timelineOf(workload);
    const { warmUpUs, measureUs, drainUs } = timeline;
    const format = new MessageFormat(workload.payloadBytes, seal);
    const stormUs = workload.stormShare > 0 ? warmUpUs + workload.stormAtSeconds * 1e6 : undefined;
    const recorder = new Recorder(timeline, stormUs === undefined ? undefined : slotAt(timeline, stormUs));
    this.#workload = workload;
    this.#timeline = timeline;
    this.#isOneOrder = workload.order === 'one-for-all';
    this.#users = users;
    this.#clock = clock;
    this.#send = send;
    this.#lastSlot = slotAt(timeline, warmUpUs + measureUs + drainUs - 1);
    this.#recorder = recorder;
    const dueTimes = new DueTimes(scheduleOf(workload));
    this.audit = new StepAudit((room, number) =>
      dueTimes.dueUs(room, number, Math.min(clock.nowUs(), this.#stoppedAtUs) - this.#beginUs),
    );
    const verifier = new Verifier({
      firstRunId,
      step,
      format,
      senderOf: (room, number) => senderOf(workload, room, number),
      dueUsOf: (room, number) =>
        dueTimes.dueUs(room, number, clock.nowUs() - this.#beginUs + clockToleranceUs),
    });
    this.#receiver = new Receiver({
      timeline,
      recorder,
      verifier,
      isOneOrder: this.#isOneOrder,
      clockUs: () => clock.nowUs(),
    });
    this.#sender = new Sender({
      runId: runIdOfStep(firstRunId, step),
      format,
      schedule: newCursor(scheduleOf(workload)),
      clock,
      recorder,
      measureFromUs: warmUpUs,
      userOf: (room, number) => users.user(senderOf(workload, room, number)),
      ...(workload.resume && { unsent: (room: number, number: number) => this.audit.unsent(room, number) }),
    });
  }

  get probed(): number {
    return this.#receiver.tally.probed;
  }

  /** In each room with a silent user, one user sends a probe. */
  probe(): void {
    for (const room of this.#users.rooms) {
      const sender = room.users.find((user) => user.state === 'open');
      const isAnyUserSilent = room.users.some((user) => user.state === 'open' && !user.probed);
      if (sender !== undefined && isAnyUserSilent) this.#sender.probe(sender, room.index);
    }
  }

  /** The schedule begins at `beginUs` of the common clock. */
  start(beginUs: number, recipientsByRoom: Uint32Array): void {
    this.#beginUs = beginUs;
    this.#nextTickUs = beginUs + this.#slotEndUs(0);
    this.#recorder.setRecipients(recipientsByRoom);
    this.#takeLoad();
    this.#sender.start(beginUs);
    const inMs = (beginUs - this.#clock.nowUs()) / 1000;
    this.#users.unaudited.beginChurn(inMs);
    this.#beginStorm(inMs);
    this.#sleep();
  }

  stopSending(): void {
    this.#stoppedAtUs = Math.min(this.#stoppedAtUs, this.#clock.nowUs());
    this.#sender.stop();
    this.#users.unaudited.endChurn();
  }

  #beginStorm(inMs: number): void {
    const { stormShare, stormAtSeconds, warmUpSeconds } = this.#workload;
    if (stormShare === 0) return;
    const atMs = inMs + (warmUpSeconds + stormAtSeconds) * 1000;
    setTimeout(() => {
      if (!this.#ended) this.#users.storm(stormShare);
    }, atMs);
  }

  /** Reports the last window. Nothing more is reported afterwards. */
  end(): StepReport {
    this.#over = true;
    this.#wakeUs = Number.POSITIVE_INFINITY;
    this.stopSending();
    this.#markUsage();
    this.#tick();
    for (const { resumption } of this.#users.users) resumption?.endCatchUp();
    const { returns, service, unaudited } = this.#users;
    const { unsentClosed, unsentBlocked, unsentAbsent } = this.#sender;
    return {
      connections: { ...this.#users.connections, connectUs: [] },
      unsentClosed,
      unsentBlocked,
      unsentAbsent,
      sentByRoom: this.#recorder.sentByRoom,
      usage: usageBetween(this.#usage!.from, this.#usage!.to),
      stalled: unaudited.stalledReport(),
      churn: { ...unaudited.churn },
      ...(returns && { returns: this.#returnsReport(returns.counts) }),
      ...(service && { service: service.counts }),
    };
  }

  #returnsReport(counts: ReturnCounts): NonNullable<StepReport['returns']> {
    return { ...counts, ...this.audit.report(this.#timeline.warmUpUs), away: this.#users.away };
  }

  received(user: VirtualUser, bytes: Buffer, at: number, end: number): void {
    const nowUs = this.#clock.nowUs();
    // Receiving must not delay sending, so each read also checks whether something is due.
    if (nowUs >= this.#wakeUs) this.#wake(nowUs);
    this.#receiver.receive(user, bytes, at, end, nowUs - this.#beginUs);
    if (this.#turnBeganUs !== 0) return;
    this.#turnBeganUs = nowUs;
    setImmediate(this.#endTurn);
  }

  sample(): WorkerSample {
    const { duplicated, reordered, misrouted, foreign, corrupted, late } = this.#receiver.tally;
    const { user, system } = process.cpuUsage();
    return {
      sessionsOpen: this.#users.connections.open,
      duplicated,
      reordered,
      misrouted,
      corrupted,
      foreign,
      late,
      lastDeliveryUs: this.#receiver.lastDeliveryUs,
      cpuUs: user + system,
    };
  }

  /** Runs after all ready sockets have been read: no input has waited here longer than one turn. */
  readonly #endTurn = () => {
    this.#recorder.turned(this.#clock.nowUs() - this.#turnBeganUs);
    this.#turnBeganUs = 0;
  };

  /** Does everything that is due now: the report of a window, the marks of the measure phase, messages. */
  #wake(nowUs: number): void {
    const timeline = this.#timeline;
    const { warmUpUs, measureUs } = timeline;
    if (nowUs >= this.#nextTickUs) {
      this.#tick();
      this.#slot = Math.min(slotAt(timeline, nowUs - this.#beginUs), this.#lastSlot);
      this.#nextTickUs =
        this.#slot === this.#lastSlot
          ? Number.POSITIVE_INFINITY
          : this.#beginUs + this.#slotEndUs(this.#slot);
    }
    if (this.#usage === undefined && nowUs >= this.#beginUs + warmUpUs) this.#markUsage();
    const endUs = this.#beginUs + warmUpUs + measureUs;
    if (nowUs >= endUs + lateSendUs) this.#sender.stop();
    this.#sender.pump();
    if (nowUs >= endUs && !this.#ended) {
      this.#ended = true;
      this.#users.unaudited.endChurn();
      this.#markUsage();
    }
    const boundaryUs = this.#usage === undefined ? this.#beginUs + warmUpUs : endUs;
    this.#wakeUs = Math.min(this.#nextTickUs, this.#sender.nextDueUs);
    if (!this.#ended) this.#wakeUs = Math.min(this.#wakeUs, boundaryUs);
  }

  readonly #sleep = () => {
    if (this.#over) return;
    const nowUs = this.#clock.nowUs();
    if (nowUs >= this.#wakeUs || this.#wakeUs === Number.POSITIVE_INFINITY) this.#wake(nowUs);
    const waitMs = Math.floor((this.#wakeUs - this.#clock.nowUs()) / 1000);
    if (waitMs < 0) setImmediate(this.#sleep);
    else setTimeout(this.#sleep, Math.min(Math.max(1, waitMs), sleepMsMax));
  };

  /** End of a window, in µs since the schedule began. */
  #slotEndUs(slot: number): number {
    const timeline = this.#timeline;
    return timeline.warmUpUs + (slot + 1 - measureSlotOf(timeline)) * windowUs;
  }

  #tick(): void {
    const report = this.#recorder.take(this.#slot, this.#takeLoad());
    const orders = this.#isOneOrder ? this.#users.takeOrders(this.#recorder.measureSlot) : [];
    this.#send({ kind: 'window', report, sample: this.sample(), orders });
  }

  /** The load of this worker since the last call. */
  #takeLoad(): WorkerLoad {
    const atUs = this.#clock.nowUs();
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

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
import { Recorder, slotAt, type Timeline, timelineOf } from '../record/recorder.ts';
import type { ReturnCounts } from '../users/returns.ts';
import { Sender } from '../users/sender.ts';
import { StepAudit } from '../users/step-audit.ts';
import type { UserPool } from '../users/user-pool.ts';
import type { VirtualUser } from '../users/virtual-user.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { StepPace } from './step-pace.ts';
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

/** Far more than the clocks of two workers differ by. Chosen, not measured. */
const clockToleranceUs = 100_000;

export class WorkerStep {
  /** Of the users that come back. */
  readonly audit: StepAudit;
  readonly #workload: ResolvedWorkload;
  readonly #timeline: Timeline;
  readonly #isOneOrder: boolean;
  readonly #users: UserPool;
  readonly #clock: Clock;
  readonly #recorder: Recorder;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #pace: StepPace;

  constructor({ assignment, step, users, clock, send }: StepSettings) {
    const { workload, firstRunId, seal } = assignment;
    const timeline = timelineOf(workload);
    const { warmUpUs } = timeline;
    const format = new MessageFormat(workload.payloadBytes, seal);
    const stormUs = workload.stormShare > 0 ? warmUpUs + workload.stormAtSeconds * 1e6 : undefined;
    const recorder = new Recorder(timeline, stormUs === undefined ? undefined : slotAt(timeline, stormUs));
    this.#workload = workload;
    this.#timeline = timeline;
    this.#isOneOrder = workload.order === 'one-for-all';
    this.#users = users;
    this.#clock = clock;
    this.#recorder = recorder;
    const dueTimes = new DueTimes(scheduleOf(workload));
    this.audit = new StepAudit((room, number) =>
      dueTimes.dueUs(room, number, Math.min(clock.nowUs(), this.#pace.stoppedAtUs) - this.#pace.beginUs),
    );
    const verifier = new Verifier({
      firstRunId,
      step,
      format,
      senderOf: (room, number) => senderOf(workload, room, number),
      dueUsOf: (room, number) =>
        dueTimes.dueUs(room, number, clock.nowUs() - this.#pace.beginUs + clockToleranceUs),
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
    this.#pace = new StepPace({
      ...{ timeline, clock, recorder, sender: this.#sender },
      report: (report) => {
        const orders = this.#isOneOrder ? users.takeOrders(recorder.measureSlot) : [];
        send({ kind: 'window', report, sample: this.sample(), orders });
      },
      measured: () => users.unaudited.endChurn(),
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
    this.#recorder.setRecipients(recipientsByRoom);
    const inMs = (beginUs - this.#clock.nowUs()) / 1000;
    this.#users.unaudited.beginChurn(inMs);
    this.#beginStorm(inMs);
    this.#pace.start(beginUs);
  }

  stopSending(): void {
    this.#pace.stopSending();
    this.#users.unaudited.endChurn();
  }

  #beginStorm(inMs: number): void {
    const { stormShare, stormAtSeconds, warmUpSeconds } = this.#workload;
    if (stormShare === 0) return;
    const atMs = inMs + (warmUpSeconds + stormAtSeconds) * 1000;
    setTimeout(() => {
      if (!this.#pace.ended) this.#users.storm(stormShare);
    }, atMs);
  }

  /** Reports the last window. Nothing more is reported afterwards. */
  end(): StepReport {
    const usage = this.#pace.end();
    this.#users.unaudited.endChurn();
    for (const { resumption } of this.#users.users) resumption?.endCatchUp();
    const { returns, service, unaudited } = this.#users;
    const { unsentClosed, unsentBlocked, unsentAbsent } = this.#sender;
    return {
      connections: { ...this.#users.connections, connectUs: [] },
      unsentClosed,
      unsentBlocked,
      unsentAbsent,
      sentByRoom: this.#recorder.sentByRoom,
      usage,
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
    const nowUs = this.#pace.reading();
    this.#receiver.receive(user, bytes, at, end, nowUs - this.#pace.beginUs);
    this.#pace.read(nowUs);
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
}

/** One worker process: runs its share of the virtual users, by the coordinator's commands. Acts on import. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Receiver } from '../audit/receiver.ts';
import { Verifier } from '../audit/verifier.ts';
import { type Assignment, senderOf } from '../model/assignment.ts';
import { Schedule, scheduleOf } from '../model/schedule.ts';
import { MessageFormat } from '../model/stamp.ts';
import { Clock } from '../record/clock.ts';
import { markUsage, type UsageMark, usageBetween } from '../record/process-usage.ts';
import { measureSlotOf, Recorder, secondSlotOf, type Timeline, timelineOf } from '../record/recorder.ts';
import type { WorkerSample } from '../record/totals.ts';
import { Sender } from '../users/sender.ts';
import { UserPool } from '../users/user-pool.ts';
import type { VirtualUser } from '../users/virtual-user.ts';
import type { WorkerCommand, WorkerMessage } from './worker-messages.ts';

const probeIntervalMs = 250;
const progressIntervalMs = 500;
/** Longest sleep between two readings of the clock, so that a second is reported soon after its end. */
const sleepMsMax = 50;
/** Longest wait for the close of all connections. Chosen, not measured. */
const closeDeadlineMs = 2000;

class Worker {
  readonly #timeline: Timeline;
  readonly #probeTimeoutMs: number;
  readonly #clock = new Clock();
  readonly #recorder: Recorder;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #users: UserPool;
  /** Infinite before the start, so that all times since then are negative. */
  #beginUs = Number.POSITIVE_INFINITY;
  #wakeUs = Number.POSITIVE_INFINITY;
  #slot = 0;
  #nextTickUs = 0;
  /** The second in which the drain ends; everything later is reported with it. */
  readonly #lastSlot: number;
  #turnBeganUs = 0;
  #ended = false;
  #usage: { from: UsageMark; to: UsageMark } | undefined;
  readonly #progress: NodeJS.Timeout;

  constructor(assignment: Assignment, worker: number) {
    const { workload, runId } = assignment;
    const timeline = timelineOf(workload);
    const { warmUpUs, measureUs, drainUs } = timeline;
    const format = new MessageFormat(workload.payloadBytes);
    this.#timeline = timeline;
    this.#probeTimeoutMs = workload.probeTimeoutSeconds * 1000;
    this.#lastSlot = secondSlotOf(timeline, warmUpUs + measureUs + drainUs - 1);
    const recorder = new Recorder(timeline, workload.rooms);
    this.#recorder = recorder;
    this.#users = new UserPool(assignment, worker, (user, bytes, at, end) =>
      this.#received(user, bytes, at, end),
    );
    const verifier = new Verifier({
      runId,
      format,
      senderOf: (room, number) => senderOf(workload, room, number),
    });
    this.#receiver = new Receiver({ runId, timeline, recorder, verifier });
    this.#sender = new Sender({
      runId,
      format,
      schedule: new Schedule(scheduleOf(workload)),
      clock: this.#clock,
      recorder,
      measureFromUs: warmUpUs,
      userOf: (room, number) => this.#users.user(senderOf(workload, room, number)),
    });
    this.#progress = setInterval(() => this.#reportProgress(), progressIntervalMs);
  }

  async connect(): Promise<void> {
    await this.#users.connect();
    send({ kind: 'connected', connections: this.#users.connections, rssBytes: process.memoryUsage.rss() });
  }

  /** In each room one user sends until all users of the room have received a probe. */
  async probe(): Promise<void> {
    const endMs = performance.now() + this.#probeTimeoutMs;
    while (this.#users.silent() > 0 && performance.now() < endMs) {
      for (const room of this.#users.rooms) {
        const sender = room.users.find((user) => user.state === 'open');
        const isAnyUserSilent = room.users.some((user) => user.state === 'open' && !user.probed);
        if (sender !== undefined && isAnyUserSilent) this.#sender.probe(sender, room.index);
      }
      const nextMs = performance.now() + probeIntervalMs;
      while (this.#users.silent() > 0 && performance.now() < nextMs) await sleep(10);
    }
    const recipientsByRoom = this.#users.recipientsByRoom();
    send({ kind: 'probed', silent: this.#users.silent(), recipientsByRoom });
  }

  start(beginUs: number): void {
    clearInterval(this.#progress);
    this.#reportProgress();
    this.#beginUs = beginUs;
    this.#nextTickUs = beginUs + this.#slotEndUs(0);
    this.#sender.start(beginUs);
    this.#users.beginChurn((beginUs - this.#clock.nowUs()) / 1000);
    this.#sleep();
  }

  stopSending(): void {
    this.#sender.stop();
    this.#users.endChurn();
  }

  /** Sends the last report, closes all connections, and exits. */
  async finish(): Promise<void> {
    this.#markUsage();
    const usage = usageBetween(this.#usage!.from, this.#usage!.to);
    this.#tick();
    const { unsentClosed, unsentBlocked } = this.#sender;
    const connections = { ...this.#users.connections, connectUs: [] };
    const stalled = this.#users.stalledReport();
    const { churn } = this.#users;
    const report = { connections, unsentClosed, unsentBlocked, usage, stalled, churn };
    // The coordinator may read late: an exit would drop the messages that wait in the channel.
    const sent = new Promise((done) => send({ kind: 'done', report }, done));
    await Promise.all([sent, this.#users.close(closeDeadlineMs)]);
    process.exit(0);
  }

  #received(user: VirtualUser, bytes: Buffer, at: number, end: number): void {
    const nowUs = this.#clock.nowUs();
    // Receiving must not delay sending, so each read also checks whether something is due.
    if (nowUs >= this.#wakeUs) this.#wake(nowUs);
    this.#receiver.receive(user, bytes, at, end, nowUs - this.#beginUs);
    if (this.#turnBeganUs !== 0) return;
    this.#turnBeganUs = nowUs;
    setImmediate(this.#endTurn);
  }

  /** Runs after all ready sockets have been read: no input has waited here longer than one turn. */
  readonly #endTurn = () => {
    this.#recorder.turned(this.#clock.nowUs() - this.#turnBeganUs);
    this.#turnBeganUs = 0;
  };

  /** Does everything that is due now: the report of a second, the marks of the measure phase, messages. */
  #wake(nowUs: number): void {
    const timeline = this.#timeline;
    const { warmUpUs, measureUs } = timeline;
    if (nowUs >= this.#nextTickUs) {
      this.#tick();
      this.#slot = Math.min(secondSlotOf(timeline, nowUs - this.#beginUs), this.#lastSlot);
      this.#nextTickUs =
        this.#slot === this.#lastSlot
          ? Number.POSITIVE_INFINITY
          : this.#beginUs + this.#slotEndUs(this.#slot);
    }
    if (this.#usage === undefined && nowUs >= this.#beginUs + warmUpUs) this.#markUsage();
    this.#sender.pump();
    const endUs = this.#beginUs + warmUpUs + measureUs;
    if (nowUs >= endUs && !this.#ended) {
      this.#ended = true;
      this.stopSending();
      this.#markUsage();
    }
    const boundaryUs = this.#usage === undefined ? this.#beginUs + warmUpUs : endUs;
    this.#wakeUs = Math.min(this.#nextTickUs, this.#sender.nextDueUs);
    if (!this.#ended) this.#wakeUs = Math.min(this.#wakeUs, boundaryUs);
  }

  readonly #sleep = () => {
    const nowUs = this.#clock.nowUs();
    if (nowUs >= this.#wakeUs || this.#wakeUs === Number.POSITIVE_INFINITY) this.#wake(nowUs);
    const waitMs = Math.floor((this.#wakeUs - this.#clock.nowUs()) / 1000);
    if (waitMs < 0) setImmediate(this.#sleep);
    else setTimeout(this.#sleep, Math.min(Math.max(1, waitMs), sleepMsMax));
  };

  /** End of a second, in µs since the schedule began. */
  #slotEndUs(slot: number): number {
    const timeline = this.#timeline;
    return timeline.warmUpUs + (slot + 1 - measureSlotOf(timeline)) * 1e6;
  }

  #tick(): void {
    send({ kind: 'second', report: this.#recorder.take(this.#slot), sample: this.#sample() });
  }

  #markUsage(): void {
    const mark = markUsage();
    if (this.#usage === undefined) this.#usage = { from: mark, to: mark };
    else if (this.#usage.to === this.#usage.from) this.#usage.to = mark;
  }

  #reportProgress(): void {
    send({ kind: 'progress', sample: this.#sample(), probed: this.#receiver.tally.probed });
  }

  #sample(): WorkerSample {
    const { duplicated, reordered, misrouted, foreign, corrupted } = this.#receiver.tally;
    const { user, system } = process.cpuUsage();
    return {
      sessionsOpen: this.#users.connections.open,
      duplicated,
      reordered,
      misrouted,
      corrupted,
      foreign,
      cpuUs: user + system,
    };
  }
}

function send(message: WorkerMessage, sent: (error: Error | null) => void = () => {}): void {
  process.send!(message, sent);
}

let worker: Worker | undefined;

// Signals reach the whole process group, but only the coordinator acts on them.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// A worker must not outlive its coordinator.
process.on('disconnect', () => process.exit(1));
process.on('message', (command: WorkerCommand) => {
  if (command.kind === 'connect') {
    worker = new Worker(command.assignment, command.worker);
    worker.connect();
  } else if (command.kind === 'probe') worker!.probe();
  else if (command.kind === 'start') worker!.start(command.beginUs);
  else if (command.kind === 'stop-sending') worker!.stopSending();
  else worker!.finish();
});
send({ kind: 'ready', rssBytes: process.memoryUsage.rss() });

/** One worker process: plays its share of the virtual users, on interleavings of the coordinator. Acts on import. */

import { Receiver } from '../audit/receiver.ts';
import { Verifier } from '../audit/verifier.ts';
import { type Plan, senderOf } from '../model/assignment.ts';
import { Schedule } from '../model/schedule.ts';
import { MessageFormat } from '../model/stamp.ts';
import { Clock } from '../record/clock.ts';
import { markUsage, type UsageMark, usageBetween } from '../record/process-usage.ts';
import { measureSlotOf, Recorder, secondSlotOf } from '../record/recorder.ts';
import { Sender } from '../users/sender.ts';
import { UserPool } from '../users/user-pool.ts';
import type { VirtualUser } from '../users/virtual-user.ts';
import type { WorkerCommand, WorkerMessage, WorkerSample } from './worker-messages.ts';

const probeIntervalMs = 250;
const progressIntervalMs = 500;
/** Longest sleep between two looks at the clock, so that a second is reported soon after it ended. */
const sleepMsMax = 50;
const goodbyeMs = 2000;

class Worker {
  readonly #plan: Plan;
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
  /** The second in which the drain ends; all that comes later is reported with it. */
  readonly #lastSlot: number;
  #turnBeganUs = 0;
  #ended = false;
  #health: { from: UsageMark; to: UsageMark } | undefined;
  readonly #progress: NodeJS.Timeout;

  constructor(plan: Plan, worker: number) {
    this.#plan = plan;
    const format = new MessageFormat(plan.payloadBytes);
    const { runId, timeline } = plan;
    this.#lastSlot = secondSlotOf(timeline, timeline.warmUpUs + timeline.measureUs + timeline.drainUs - 1);
    this.#recorder = new Recorder(timeline, plan.rooms);
    this.#users = new UserPool(plan, worker, (user, bytes, at, end) => this.#received(user, bytes, at, end));
    this.#receiver = new Receiver({
      runId,
      timeline,
      recorder: this.#recorder,
      verifier: new Verifier({ runId, format, senderOf: (room, number) => senderOf(plan, room, number) }),
    });
    this.#sender = new Sender({
      runId,
      format,
      schedule: new Schedule(plan.schedule),
      clock: this.#clock,
      recorder: this.#recorder,
      measureFromUs: timeline.warmUpUs,
      speaker: (room, number) => this.#users.user(senderOf(plan, room, number)),
    });
    this.#progress = setInterval(() => this.#sayProgress(), progressIntervalMs);
  }

  async connect(): Promise<void> {
    await this.#users.connect();
    say({ kind: 'connected', connections: this.#users.report(), rssBytes: process.memoryUsage.rss() });
  }

  /** Somebody in each room speaks until everybody has heard something. */
  async probe(): Promise<void> {
    const endMs = performance.now() + this.#plan.probeTimeoutMs;
    while (this.#users.silent() > 0 && performance.now() < endMs) {
      for (const room of this.#users.rooms) {
        const speaker = room.users.find((user) => user.state === 'open');
        const someoneSilent = room.users.some((user) => user.state === 'open' && !user.heard);
        if (speaker !== undefined && someoneSilent) this.#sender.probe(speaker, room.index);
      }
      const nextMs = performance.now() + probeIntervalMs;
      while (this.#users.silent() > 0 && performance.now() < nextMs) await sleep(10);
    }
    const recipientsByRoom = this.#users.recipientsByRoom();
    say({ kind: 'probed', silent: this.#users.silent(), recipientsByRoom });
  }

  start(beginUs: number): void {
    clearInterval(this.#progress);
    this.#sayProgress();
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

  /** Reports what is left, then closes everything. */
  async finish(): Promise<void> {
    this.#markUsage();
    const health = usageBetween(this.#health!.from, this.#health!.to);
    this.#tick();
    const { unsentClosed, unsentBlocked } = this.#sender;
    const connections = { ...this.#users.report(), connectUs: [] };
    const stalled = this.#users.stalledReport();
    const { visitors } = this.#users;
    const report = { connections, unsentClosed, unsentBlocked, health, stalled, visitors };
    // A coordinator behind with its reading still has to get this one: an exit would throw away what waits in the channel.
    const said = new Promise((done) => say({ kind: 'done', report }, done));
    await Promise.all([said, this.#users.close(goodbyeMs)]);
    process.exit(0);
  }

  #received(user: VirtualUser, bytes: Buffer, at: number, end: number): void {
    const nowUs = this.#clock.nowUs();
    // Receiving must not keep what is due from leaving, so that every read looks at the clock for both.
    if (nowUs >= this.#wakeUs) this.#wake(nowUs);
    this.#receiver.receive(user, bytes, at, end, nowUs - this.#beginUs);
    if (this.#turnBeganUs !== 0) return;
    this.#turnBeganUs = nowUs;
    setImmediate(this.#endTurn);
  }

  /** Runs after all sockets that were ready have been read: nothing waited for this process longer than that. */
  readonly #endTurn = () => {
    this.#recorder.turned(this.#clock.nowUs() - this.#turnBeganUs);
    this.#turnBeganUs = 0;
  };

  /** Does what is due now: a report of the second that ended, the marks of the measure phase, and messages. */
  #wake(nowUs: number): void {
    const { timeline } = this.#plan;
    const { warmUpUs, measureUs } = timeline;
    if (nowUs >= this.#nextTickUs) {
      this.#tick();
      this.#slot = Math.min(secondSlotOf(timeline, nowUs - this.#beginUs), this.#lastSlot);
      this.#nextTickUs =
        this.#slot === this.#lastSlot
          ? Number.POSITIVE_INFINITY
          : this.#beginUs + this.#slotEndUs(this.#slot);
    }
    if (this.#health === undefined && nowUs >= this.#beginUs + warmUpUs) this.#markUsage();
    this.#sender.pump();
    const endUs = this.#beginUs + warmUpUs + measureUs;
    if (nowUs >= endUs && !this.#ended) {
      this.#ended = true;
      this.stopSending();
      this.#markUsage();
    }
    const boundaryUs = this.#health === undefined ? this.#beginUs + warmUpUs : endUs;
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
    const { timeline } = this.#plan;
    return timeline.warmUpUs + (slot + 1 - measureSlotOf(timeline)) * 1e6;
  }

  #tick(): void {
    say({ kind: 'second', report: this.#recorder.take(this.#slot), sample: this.#sample() });
  }

  #markUsage(): void {
    const mark = markUsage();
    if (this.#health === undefined) this.#health = { from: mark, to: mark };
    else if (this.#health.to === this.#health.from) this.#health.to = mark;
  }

  #sayProgress(): void {
    say({ kind: 'progress', sample: this.#sample(), heard: this.#receiver.tally.heard });
  }

  #sample(): WorkerSample {
    const { duplicated, reordered, misrouted, foreign, corrupted } = this.#receiver.tally;
    const { user, system } = process.cpuUsage();
    return {
      sessionsOpen: this.#users.open,
      duplicated,
      reordered,
      misrouted,
      corrupted,
      foreign,
      cpuUs: user + system,
      rssBytes: process.memoryUsage.rss(),
    };
  }
}

function say(message: WorkerMessage, said: (error: Error | null) => void = () => {}): void {
  process.send!(message, said);
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

let worker: Worker | undefined;

// Signals reach the whole process group; the coordinator decides what follows from them.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without its coordinator a worker has no purpose, and must not stay behind.
process.on('disconnect', () => process.exit(1));
process.on('message', (order: WorkerCommand) => {
  if (order.kind === 'connect') {
    worker = new Worker(order.plan, order.worker);
    worker.connect();
  } else if (order.kind === 'probe') worker!.probe();
  else if (order.kind === 'start') worker!.start(order.beginUs);
  else if (order.kind === 'stop-sending') worker!.stopSending();
  else worker!.finish();
});
say({ kind: 'ready', rssBytes: process.memoryUsage.rss() });

/** Leads a run: starts the workers, takes them through the steps together, and adds up their reports. */
import { setTimeout as sleep } from 'node:timers/promises';
import { redact } from '#host/secrets.ts';
import { RoomOrders } from '../audit/room-orders.ts';
import type { Assignment } from '../model/assignment.ts';
import { Clock } from '../record/clock.ts';
import { mergeCounts } from '../record/counts.ts';
import { type Timeline, timelineOf } from '../record/recorder.ts';
import type { Second } from '../record/series.ts';
import { Totals } from '../record/totals.ts';
import type { ConnectionReport } from '../users/connection-report.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { Phase, RunObserver } from './observer.ts';
import { settle } from './open-messages.ts';
import type { ConnectOutcome, StepOutcome } from './outcome.ts';
import { createAccounts, judge } from './people-run.ts';
import { RunError } from './run-error.ts';
import type { StepReport, WorkerMessage } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

export type StepOptions = {
  /** The run ends with this step. */
  isLast: boolean;
  /** Users whose connection has been closed connect again before the step. */
  reconnect?: boolean | undefined;
  /** Asked after each window: true ends the measure phase. */
  isHopeless?: ((totals: Totals) => boolean) | undefined;
};

/** Time from the start command to the first due message, so that slow workers get the command in time. */
const leadUs = 100_000;
/** After an interruption, deliveries under way are waited for at most this long. Chosen, not measured. */
const interruptedDrainMsMax = 1000;

/** The step that is under way. */
type OpenStep = {
  timeline: Timeline;
  totals: Totals;
  orders: RoomOrders;
  /** Recipients by worker and room. */
  recipients: Uint32Array[];
  settled: PromiseWithResolvers<'settled'>;
  isHopeless: (totals: Totals) => boolean;
  hopeless: PromiseWithResolvers<'hopeless' | 'gone'>;
  /** Users that lose their connection come back. */
  willReturn: boolean;
  /** Of people, in the last step: they all come back, for so long at most. */
  collectUs: number;
};

export class Coordinator {
  readonly #assignment: Assignment;
  readonly #observers: readonly RunObserver[];
  readonly #pool: WorkerPool;
  readonly #interrupt = Promise.withResolvers<'interrupted'>();
  readonly #sessions: number[] = [];
  readonly #probed: number[] = [];
  readonly #accounts: number[] = [];
  #connected: ConnectOutcome | undefined;
  #step: OpenStep | undefined;
  #steps = 0;
  #phase: Phase = 'connect';

  constructor(assignment: Assignment, observers: readonly RunObserver[]) {
    this.#assignment = assignment;
    this.#observers = observers;
    this.#pool = new WorkerPool(assignment.workload.workers, (worker, message) =>
      this.#onMessage(worker, message),
    );
  }

  /** Ends the run early and in order: everything measured until now is kept. */
  interrupt(): void {
    this.#interrupt.resolve('interrupted');
    this.#pool.interrupt();
  }

  /** Connects all users and probes them. Rejects with a RunError if a worker dies or nothing connects. */
  async connect(): Promise<void> {
    const isOfPeople = this.#assignment.workload.people > 0;
    this.#enter(isOfPeople ? 'accounts' : 'connect');
    const baselines = (await this.#pool.start()).map((message) => message.rssBytes);
    const beganMs = performance.now();
    const accounts = isOfPeople
      ? await this.#unlessInterrupted(createAccounts(this.#pool, this.#assignment))
      : undefined;
    const createdMs = performance.now();
    if (isOfPeople) this.#enter('connect');
    const connected = await this.#unlessInterrupted(
      this.#pool.ask('connected', (worker) => ({ kind: 'connect', assignment: this.#assignment, worker })),
    );
    const connections = connected.map((message) => message.connections);
    const connectedRssBytes = connected.reduce((total, m, i) => total + m.rssBytes - baselines[i]!, 0);
    const opened = connections.reduce((total, report) => total + report.opened, 0);
    if (opened === 0)
      throw new RunError('input', nothingConnected(this.#assignment.workload.urls, connections));

    this.#enter('probe');
    const probed = await this.#unlessInterrupted(this.#pool.ask('probed', () => ({ kind: 'probe' })));
    const silent = probed.reduce((total, message) => total + message.silent, 0);
    const accountSeconds = (createdMs - beganMs) / 1000;
    const enrollSeconds = (performance.now() - createdMs) / 1000;
    this.#connected = { silent, connections, connectedRssBytes };
    if (accounts) this.#connected.accounts = { ...accounts, accountSeconds, enrollSeconds };
  }

  /** Resolves as `next` does. Rejects with a RunError if a worker dies or the run is interrupted before. */
  async idleUntil<T>(next: Promise<T>): Promise<T> {
    if (this.#phase !== 'idle') this.#enter('idle');
    return await this.#unlessInterrupted(Promise.race([next, this.#pool.failed]));
  }

  /**
   * Measures one step on the connections that are open. Its drain ends when nothing is outstanding, because
   * what comes late is seen in the next step. The drain of the last step takes its full time: a duplicate
   * comes later than its original. Rejects with a RunError if a worker dies.
   */
  async step(
    workload: ResolvedWorkload,
    { isLast, reconnect = false, isHopeless = () => false }: StepOptions,
  ): Promise<StepOutcome> {
    const startedAt = new Date().toISOString();
    const timeline = timelineOf(workload);
    const isOfPeople = workload.people > 0;
    const totals = new Totals(workload.workers, timeline, isOfPeople ? workload.devices : 0);
    for (const observer of this.#observers) observer.step(workload);
    const step = this.#steps++;
    const prepared = await this.#pool.ask('prepared', () => ({ kind: 'prepare', step, workload, reconnect }));
    const recipientsByRoom = new Uint32Array(workload.rooms);
    for (const [worker, message] of prepared.entries()) {
      totals.setSample(worker, message.sample);
      message.recipientsByRoom.forEach((count, room) => {
        recipientsByRoom[room]! += count;
      });
    }
    const open = {
      timeline,
      totals,
      orders: new RoomOrders(workload.workers),
      recipients: prepared.map((message) => message.recipientsByRoom),
      settled: Promise.withResolvers<'settled'>(),
      isHopeless,
      hopeless: Promise.withResolvers<'hopeless' | 'gone'>(),
      willReturn: workload.resume || isOfPeople,
      collectUs: isOfPeople && isLast ? workload.collectSeconds * 1e6 : 0,
    };
    this.#step = open;
    const measured = await this.#measure(open, recipientsByRoom, isLast);
    const done = await this.#pool.ask('step-done', () => ({ kind: 'end-step' }));
    this.#show(open, totals.end());
    this.#step = undefined;
    const reports = done.map((message) => message.report);
    const settled = workload.resume ? await this.#settle(reports, recipientsByRoom, totals) : undefined;
    const isJudged = isOfPeople && !measured.interrupted;
    const receipts = isJudged ? await judge(this.#pool, reports, totals, open.collectUs > 0) : undefined;
    return {
      ...(receipts && { receipts }),
      ...{ ...this.#connected!, workload, totals, startedAt, recipientsByRoom, reports, ...measured },
      ...(settled && { settled }),
    };
  }

  async #settle(reports: readonly StepReport[], recipientsByRoom: Uint32Array, totals: Totals) {
    const open = reports.flatMap(({ returns }) => (returns === undefined ? [] : [returns]));
    const settled = await settle(open, recipientsByRoom, async (messages) => {
      const answers = await this.#pool.ask('heard', () => ({ kind: 'which-are-heard', messages }));
      return answers.flatMap((answer) => answer.messages);
    });
    // Where users have gaps, workers may hear of the same messages in another order, see `RoomOrders`.
    if (settled.missed > 0) totals.disordered = 0;
    totals.excused = { missed: settled.missed, unpublished: settled.unpublishedDeliveries };
    return settled;
  }

  /** Closes the connections in order. */
  async finish(): Promise<void> {
    await this.#pool.ask('done', () => ({ kind: 'finish' }));
    this.#enter('done');
  }

  /** Resolves when no worker is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.stop();
  }

  /** Warm-up, measure and drain, by the clock. */
  async #measure(
    open: OpenStep,
    recipientsByRoom: Uint32Array,
    isLast: boolean,
  ): Promise<Pick<StepOutcome, 'interrupted' | 'aborted' | 'measuredUs'>> {
    const { collectUs, timeline } = open;
    const { warmUpUs, measureUs, drainUs } = timeline;
    const clock = new Clock();
    const beginUs = Math.ceil(clock.nowUs() + leadUs);
    this.#pool.tell(() => ({ kind: 'start', beginUs, recipientsByRoom }));
    const measureAtUs = beginUs + warmUpUs;
    let endUs = measureAtUs + measureUs;
    let aborted: StepOutcome['aborted'];
    const measuredUs = () => Math.min(Math.max(0, clock.nowUs() - measureAtUs), endUs - measureAtUs);
    for (const phase of ['warm-up', 'measure', 'drain'] as const) {
      this.#enter(phase);
      const untilUs = { 'warm-up': measureAtUs, measure: endUs, drain: endUs + drainUs + collectUs }[phase];
      if (phase === 'drain' && collectUs > 0) this.#pool.tell(() => ({ kind: 'collect' }));
      const early = {
        'warm-up': [],
        measure: [open.hopeless.promise],
        drain: isLast && collectUs === 0 ? [] : [open.settled.promise],
      }[phase];
      let event = await this.#next(clock, untilUs, early);
      // A duplicate comes later than its original.
      if (event === 'settled' && collectUs > 0) event = await this.#next(clock, clock.nowUs() + drainUs, []);
      if (event === 'interrupted') {
        const untilNowUs = measuredUs();
        this.#pool.tell(() => ({ kind: 'stop-sending' }));
        this.#enter('drain');
        await sleep(Math.min(drainUs / 1000, interruptedDrainMsMax));
        return { interrupted: true, aborted, measuredUs: untilNowUs };
      }
      if (event !== 'hopeless' && event !== 'gone') continue;
      aborted = event;
      endUs = measureAtUs + measuredUs();
      open.totals.endMeasure(endUs - measureAtUs);
      this.#pool.tell(() => ({ kind: 'stop-sending' }));
      if (event === 'gone') break;
    }
    return { interrupted: false, aborted, measuredUs: endUs - measureAtUs };
  }

  /** The first of these events and an interruption; undefined if that time comes first. */
  async #next<Event>(clock: Clock, untilUs: number, early: readonly Promise<Event>[]) {
    const abort = new AbortController();
    const timer = sleep(Math.max(0, (untilUs - clock.nowUs()) / 1000), undefined, { signal: abort.signal });
    timer.catch(() => {}); // It rejects when it is aborted.
    try {
      const events = [timer, this.#interrupt.promise, this.#pool.failed, ...early];
      return await Promise.race(events);
    } finally {
      abort.abort();
    }
  }

  /** Between steps, an interruption ends the run without a further result. */
  async #unlessInterrupted<T>(answers: Promise<T>): Promise<T> {
    const first = await Promise.race([answers, this.#interrupt.promise]);
    if (first !== 'interrupted') return first as T;
    const when = this.#steps === 0 ? 'before anything was measured' : `after ${this.#steps} steps`;
    throw new RunError('interrupted', `Interrupted ${when}.`);
  }

  #onMessage(worker: number, message: WorkerMessage): void {
    if (message.kind === 'window' && this.#step !== undefined) {
      const { totals, settled, orders, recipients, isHopeless, hopeless, willReturn } = this.#step;
      for (const [room, numbers] of message.orders)
        totals.disordered += orders.add(worker, room, numbers) * recipients[worker]![room]!;
      this.#show(this.#step, totals.addWindow(worker, message.report, message.sample, message.direct));
      if (totals.settled) settled.resolve('settled');
      if (isHopeless(totals)) hopeless.resolve('hopeless');
      const open = totals.sumOfSamples((sample) => sample.sessionsOpen);
      if (open === 0 && !willReturn) hopeless.resolve('gone');
    } else if (message.kind === 'progress') {
      this.#sessions[worker] = message.sessionsOpen;
      this.#probed[worker] = message.probed;
      this.#accounts[worker] = message.accounts;
      if (worker !== 0) return; // All workers report at the same pace; the observers are told once for all.
      for (const observer of this.#observers)
        observer.progress(sum(this.#sessions), sum(this.#probed), sum(this.#accounts));
    }
  }

  #show({ timeline, totals }: OpenStep, seconds: readonly Second[]): void {
    for (const second of seconds) {
      const lost = totals.lostBy(second.atSeconds);
      for (const observer of this.#observers)
        observer.second(phaseOf(second, timeline), second, totals, lost);
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    for (const observer of this.#observers) observer.phase(phase);
  }
}

function nothingConnected(urls: readonly string[], connections: readonly ConnectionReport[]): string {
  const reasons = mergeCounts(connections.map((report) => report.refused));
  const list = Object.entries(reasons).map(([why, count]) => `${why} (${count})`);
  return `no connection could be opened to ${redact(urls.join(', '))}: ${list.join(', ')}; is the server running there?`;
}

/** The phase of a second; its report arrives after it has ended. */
function phaseOf(second: Second, timeline: Timeline): Phase {
  if (second.atSeconds < 0) return 'warm-up';
  return second.atSeconds * 1e6 < timeline.measureUs ? 'measure' : 'drain';
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

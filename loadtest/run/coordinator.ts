/** Leads a run: starts the workers, takes them through the phases together, and adds up their reports. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment } from '../model/assignment.ts';
import { Clock } from '../record/clock.ts';
import { type Timeline, timelineOf } from '../record/recorder.ts';
import type { Second } from '../record/series.ts';
import { mergeCounts, Totals } from '../record/totals.ts';
import type { ConnectionReport } from '../users/user-pool.ts';
import { RunError } from './run-error.ts';
import type { FinalReport, WorkerMessage } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

export type Phase = 'connect' | 'probe' | 'warm-up' | 'measure' | 'drain' | 'done';

/** Follows a run while it goes. */
export type RunObserver = {
  phase(phase: Phase): void;
  /** While connecting and probing: how many users are connected, and how many have received a probe. */
  progress(sessionsOpen: number, probed: number): void;
  /** After each second. `lost` counts the deliveries that are overdue by more than the drain. */
  second(phase: Phase, second: Second, totals: Totals, lost: number): void;
};

/** Everything that a result is made of. */
export type RunOutcome = {
  totals: Totals;
  startedAt: string;
  silent: number;
  connections: ConnectionReport[];
  /** Growth of the workers' memory by connecting. */
  connectedRssBytes: number;
  finals: FinalReport[];
  interrupted: boolean;
  /** Length of the measure phase: as planned, or until the interruption. */
  measuredUs: number;
};

/** Time from the start command to the first due message, so that slow workers get the command in time. */
const leadUs = 300_000;
/** After an interruption, deliveries under way are waited for at most this long. Chosen, not measured. */
const interruptedDrainMsMax = 1000;

export class Coordinator {
  readonly #assignment: Assignment;
  readonly #timeline: Timeline;
  readonly #observers: readonly RunObserver[];
  readonly #totals: Totals;
  readonly #pool: WorkerPool;
  readonly #interrupt = Promise.withResolvers<'interrupted'>();
  /** Nothing more is expected: the drain may end early. */
  readonly #settled = Promise.withResolvers<'settled'>();
  readonly #probed: number[] = [];

  constructor(assignment: Assignment, observers: readonly RunObserver[]) {
    const { workers, rooms } = assignment.workload;
    this.#assignment = assignment;
    this.#timeline = timelineOf(assignment.workload);
    this.#observers = observers;
    this.#totals = new Totals(workers, rooms, this.#timeline);
    this.#pool = new WorkerPool(workers, (worker, message) => this.#onMessage(worker, message));
  }

  /** Ends the run early and in order: everything measured until now is kept. */
  interrupt(): void {
    this.#interrupt.resolve('interrupted');
  }

  /** Runs all phases. Rejects with a RunError if a worker dies, nothing connects, or nothing was measured. */
  async run(): Promise<RunOutcome> {
    try {
      return await this.#phases(new Date().toISOString());
    } finally {
      await this.#pool.stop();
    }
  }

  async #phases(startedAt: string): Promise<RunOutcome> {
    this.#enter('connect');
    const baselines = (await this.#pool.start()).map((message) => message.rssBytes);
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
    for (const message of probed) this.#totals.addRecipients(message.recipientsByRoom);
    const silent = probed.reduce((total, message) => total + message.silent, 0);

    const measured = await this.#measure();
    const done = await this.#pool.ask('done', () => ({ kind: 'finish' }));
    this.#show(this.#totals.end());
    this.#enter('done');
    const finals = done.map((message) => message.report);
    return { totals: this.#totals, startedAt, silent, connections, connectedRssBytes, finals, ...measured };
  }

  /** Warm-up, measure and drain, by the clock. */
  async #measure(): Promise<{ interrupted: boolean; measuredUs: number }> {
    const { warmUpUs, measureUs, drainUs } = this.#timeline;
    const clock = new Clock();
    const beginUs = Math.ceil(clock.nowUs() + leadUs);
    this.#pool.tell(() => ({ kind: 'start', beginUs }));
    const measureAtUs = beginUs + warmUpUs;
    const ends: [Phase, number][] = [
      ['warm-up', measureAtUs],
      ['measure', measureAtUs + measureUs],
      ['drain', measureAtUs + measureUs + drainUs],
    ];
    for (const [phase, untilUs] of ends) {
      this.#enter(phase);
      if (await this.#reached(clock, untilUs)) continue;
      const measuredUs = Math.min(Math.max(0, clock.nowUs() - measureAtUs), measureUs);
      this.#pool.tell(() => ({ kind: 'stop-sending' }));
      this.#enter('drain');
      await sleep(Math.min(drainUs / 1000, interruptedDrainMsMax));
      return { interrupted: true, measuredUs };
    }
    return { interrupted: false, measuredUs: measureUs };
  }

  /** True when that time has come or nothing more is expected, false if the run was interrupted before. */
  async #reached(clock: Clock, untilUs: number): Promise<boolean> {
    const abort = new AbortController();
    const timer = sleep(Math.max(0, (untilUs - clock.nowUs()) / 1000), undefined, { signal: abort.signal });
    timer.catch(() => {}); // It rejects when it is aborted.
    try {
      const events = [timer, this.#interrupt.promise, this.#pool.failed, this.#settled.promise];
      return (await Promise.race<unknown>(events)) !== 'interrupted';
    } finally {
      abort.abort();
    }
  }

  /** Before the schedule begins, an interruption ends the run without a result. */
  async #unlessInterrupted<T>(answers: Promise<T>): Promise<T> {
    const first = await Promise.race([answers, this.#interrupt.promise]);
    if (first === 'interrupted')
      throw new RunError('interrupted', 'Interrupted before anything was measured.');
    return first as T;
  }

  #onMessage(worker: number, message: WorkerMessage): void {
    if (message.kind === 'second') {
      this.#show(this.#totals.addSecond(worker, message.report, message.sample));
      if (this.#totals.settled) this.#settled.resolve('settled');
    } else if (message.kind === 'progress') {
      this.#probed[worker] = message.probed;
      this.#totals.setSample(worker, message.sample);
      if (worker !== 0) return; // All workers report at the same pace; the observers are told once for all.
      const open = this.#totals.sumOfSamples((sample) => sample.sessionsOpen);
      const probed = this.#probed.reduce((total, count) => total + count, 0);
      for (const observer of this.#observers) observer.progress(open, probed);
    }
  }

  #show(seconds: readonly Second[]): void {
    for (const second of seconds) {
      const lost = this.#totals.lostBy(second.atSeconds);
      for (const observer of this.#observers)
        observer.second(phaseOf(second, this.#timeline), second, this.#totals, lost);
    }
  }

  #enter(phase: Phase): void {
    for (const observer of this.#observers) observer.phase(phase);
  }
}

function nothingConnected(urls: readonly string[], connections: readonly ConnectionReport[]): string {
  const reasons = mergeCounts(connections.map((report) => report.refused));
  const list = Object.entries(reasons).map(([why, count]) => `${why} (${count})`);
  return `no connection could be opened to ${urls.join(', ')}: ${list.join(', ')}; is the server running there?`;
}

/** The phase of a second; its report arrives after it has ended. */
function phaseOf(second: Second, timeline: Timeline): Phase {
  if (second.atSeconds < 0) return 'warm-up';
  return second.atSeconds * 1e6 < timeline.measureUs ? 'measure' : 'drain';
}
